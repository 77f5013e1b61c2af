"""What reflow/deploy/ says agrees with the program that it deploys."""

import re
import runpy
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings
from django.core.management import CommandError, get_commands

from reflow import env
from reflow.management.commands import quickstart
from tests.reflow.test_settings import SECRET

DEPLOY = Path(settings.BASE_DIR) / "reflow" / "deploy"
PAGE = (DEPLOY / "README.md").read_text()
COMPOSE, MACHINES = (
    yaml.safe_load((DEPLOY / name).read_text()) for name in ("compose.yaml", "compose.machines.yaml")
)
SERVICES = [*COMPOSE["services"].items(), *MACHINES["services"].items()]

# Variables of PostgreSQL, Caddy, Compose, and the shell on the page.
THEIRS = {
    "RELEASE", "SITE", "UPSTREAM", "POSTGRES_USER", "POSTGRES_PASSWORD", "REFLOW_IMAGE", "PGOPTIONS",
    "DATA", "FRONT", "WEB", "PRIVATE", "VALKEY_PASSWORD", "REDISCLI_AUTH",
}  # fmt: skip


@pytest.fixture(scope="module")
def read() -> dict[str, Any]:
    """Every variable that the program reads, with its default; None is a variable that has to be there."""
    found: dict[str, Any] = {}
    usual = env.read

    def noting(name: str, convert: Any, should: str, check: Any = lambda _: True, default: Any = None) -> Any:
        found[name] = default
        return usual(name, convert, should, check, default)

    with pytest.MonkeyPatch.context() as patch:
        for name in table():
            patch.delenv(name, raising=False)
        patch.setenv("ENV_FILE", "/dev/null")
        patch.setenv("SECRET_KEY", SECRET["SECRET_KEY"])
        patch.setattr(env, "read", noting)
        for module in ("settings", "server/gunicorn"):
            runpy.run_path(str(settings.BASE_DIR / "reflow" / f"{module}.py"))
        with suppress(CommandError):  # somebody listens there
            quickstart.read_address()
    return found | {"DEMO_OWNER_PASSWORD": ""}


def table() -> dict[str, str]:
    """Each variable on the page, with the default that it names."""
    _, _, section = PAGE.partition("## Variables")
    return dict(re.findall(r"^\| `(\w+)` \| ([^|]+) \|", section, re.MULTILINE))


def written(name: str, default: Any) -> str:
    """A default as the page has it."""
    match name, default:
        case _, None:
            return "required"
        case "DATABASE_URL", _:
            return "SQLite in `db.sqlite3`"
        case "ENV_FILE", _:
            return f"`{Path(default).name}`"
        case _, bool():
            return f"`{str(default).lower()}`"
        case _, dict():
            return "–"
        case _, list():
            return f"`{','.join(default)}`" if default else "–"
        case _, float():
            return f"`{default:g}`"
    return f"`{default}`" if default != "" else "–"


def test_the_page_names_every_variable_with_its_default(read: dict[str, Any]) -> None:
    assert table() == {name: written(name, default) for name, default in read.items()}


def test_every_variable_that_is_set_here_is_read(read: dict[str, Any]) -> None:
    given = set(re.findall(r"^    ([A-Z_]+)=", PAGE, re.MULTILINE))
    for _, service in SERVICES:
        given |= service.get("environment", {}).keys()
    for path in DEPLOY.glob("compose*.yaml"):
        given |= set(re.findall(r"\$\{?([A-Z_]+)", path.read_text()))
    assert given - THEIRS <= read.keys()
    assert {"SECRET_KEY", "DATABASE_URL", "REDIS_URL"} <= given


@pytest.mark.parametrize(
    "written",
    re.findall(r"<<EOF\n(.+?)\n    EOF", PAGE, re.DOTALL),
    ids=["systemd", "compose", "compose on several machines"],
)
def test_a_start_with_what_the_page_writes(written: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in table():
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("ENV_FILE", "/dev/null")
    for line in written.replace("$(openssl rand -hex 32)", secrets.token_hex(32)).splitlines():
        monkeypatch.setenv(*line.strip().split("=", 1))
    found = runpy.run_path(str(settings.BASE_DIR / "reflow" / "settings.py"))
    assert found["ALLOWED_HOSTS"] == ["api.example.com"]
    assert found["EMAIL_PORT"] == 587
    assert found["HTTPS"]
    if "DATABASE_URL" in written:
        assert found["DATABASES"]["default"]["HOST"] == "/var/run/postgresql"
        assert found["DATABASES"]["default"]["NAME"] == "reflow"


def test_every_command_on_the_page_and_in_the_units_exists() -> None:
    named = set(re.findall(r"\bmanage ([a-z_]+)", PAGE))
    for unit in DEPLOY.glob("*.service"):
        named |= set(re.findall(r"manage\.py ([a-z_]+)", unit.read_text()))
    assert {"migrate", "createsuperuser", "daily", "db_worker"} <= named
    assert named - get_commands().keys() == set()
