"""Agreement of reflow/deploy/ with the program that it deploys."""

import re
import runpy
import secrets
from pathlib import Path

import pytest
import yaml
from django.conf import settings
from django.core.management import get_commands

from reflow import env

DEPLOY = Path(settings.BASE_DIR) / "reflow" / "deploy"
PAGE = (DEPLOY / "README.md").read_text()

# Variables of PostgreSQL, Caddy, Compose, and the shell on the page.
THEIRS = {
    "RELEASE", "SITE", "UPSTREAM", "POSTGRES_USER", "POSTGRES_PASSWORD", "REFLOW_IMAGE", "PGOPTIONS",
    "DATA", "FRONT", "WEB", "PRIVATE", "VALKEY_PASSWORD", "REDISCLI_AUTH",
}  # fmt: skip


def test_the_page_and_the_example_name_every_variable() -> None:
    _, _, section = PAGE.partition("## Variables")
    assert set(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)) == env.NAMES
    named = re.findall(r"^(?:# )?(\w+)=", (settings.BASE_DIR / ".env.example").read_text(), re.MULTILINE)
    # DEBUG is for `make dev`, ENV_FILE says where the others are; `make run` and gunicorn read the rest.
    elsewhere = {"DEBUG", "ENV_FILE", "HOST", "PORT", "DEMO_OWNER_PASSWORD", "WEB_PROCESSES", "WEB_THREADS"}
    assert set(named) == env.NAMES - elsewhere


def test_every_variable_that_is_set_here_is_read() -> None:
    given = set(re.findall(r"^    ([A-Z_]+)=", PAGE, re.MULTILINE))
    for path in DEPLOY.glob("compose*.yaml"):
        for service in yaml.safe_load(path.read_text())["services"].values():
            given |= service.get("environment", {}).keys()
        given |= set(re.findall(r"\$\{?([A-Z_]+)", path.read_text()))
    assert {"SECRET_KEY", "DATABASE_URL", "REDIS_URL"} <= given <= env.NAMES | THEIRS


def test_every_command_on_the_page_and_in_the_units_exists() -> None:
    named = set(re.findall(r"\bmanage ([a-z_]+)", PAGE))
    for unit in DEPLOY.glob("*.service"):
        named |= set(re.findall(r"manage\.py ([a-z_]+)", unit.read_text()))
    assert {"migrate", "createsuperuser", "daily", "db_worker"} <= named <= get_commands().keys()


@pytest.mark.parametrize(
    "written",
    re.findall(r"<<EOF\n(.+?)\n    EOF", PAGE, re.DOTALL),
    ids=["systemd", "compose", "compose on several machines"],
)
def test_a_start_with_what_the_page_writes(written: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in env.NAMES:
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


def test_the_site_believes_its_own_proxy_about_addresses_and_no_other() -> None:
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
    trusted = services["web"]["environment"]["TRUSTED_PROXIES"]
    assert trusted == services["proxy"]["networks"]["front"]["ipv4_address"]
