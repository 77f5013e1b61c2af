"""What the environment decides, each time in a process of its own: settings are read once."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from django.conf import settings

SECRET = {"SECRET_KEY": "long and random enough for this"}


def start(names: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Read these settings with nothing but this in the environment."""
    code = f"import json; from reflow import settings as s; print(json.dumps([{names}]))"
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=settings.BASE_DIR,
        env={"ENV_FILE": os.devnull, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def read(names: str, **environment: str) -> Any:
    result = start(names, SECRET | environment)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def test_without_a_secret_key_nothing_starts() -> None:
    result = start("s.SECRET_KEY", {})
    assert result.returncode != 0
    assert "SECRET_KEY" in result.stderr.splitlines()[-1]


HTTPS_SETTINGS = (
    "s.SECURE_SSL_REDIRECT, s.SESSION_COOKIE_SECURE, s.CSRF_COOKIE_SECURE, s.SECURE_HSTS_SECONDS > 0"
)


def test_https_is_on_unless_it_is_switched_off() -> None:
    assert read(HTTPS_SETTINGS) == [True, True, True, True]


def test_one_switch_turns_off_all_that_https_means() -> None:
    assert read(HTTPS_SETTINGS, HTTPS="false") == [False, False, False, False]


def test_debug_is_off_unless_it_is_switched_on() -> None:
    assert read("s.DEBUG") == [False]
    assert read("s.DEBUG", DEBUG="true") == [True]


def test_a_proxy_is_trusted_only_when_it_is_said_to_be_there() -> None:
    trusted = "getattr(s, 'SECURE_PROXY_SSL_HEADER', None)"
    assert read(trusted) == [None]
    assert read(trusted, TRUST_X_FORWARDED_PROTO="true") == [["HTTP_X_FORWARDED_PROTO", "https"]]


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "env"
    file.write_text("HTTPS=false\nALLOWED_HOSTS=shop.example\n")
    names = "s.HTTPS, s.ALLOWED_HOSTS"
    assert read(names, ENV_FILE=str(file)) == [False, ["shop.example"]]
    assert read(names, ENV_FILE=str(file), HTTPS="true") == [True, ["shop.example"]]


def test_the_database_is_a_file_unless_another_is_named() -> None:
    names = "s.DATABASES['default']['ENGINE'], s.DATABASES['default']['HOST']"
    assert read(names)[0] == "django.db.backends.sqlite3"
    url = "postgres://reflow@db.example/reflow"
    assert read(names, DATABASE_URL=url) == ["django.db.backends.postgresql", "db.example"]


def test_the_example_names_every_variable() -> None:
    """All but two: DEBUG is for `make dev`, and ENV_FILE says where the others are."""
    code = (settings.BASE_DIR / "reflow" / "settings.py").read_text()
    example = (settings.BASE_DIR / ".env.example").read_text()
    variables = set(re.findall(r'env\.\w+\(\s*"([A-Z_]+)"', code))
    assert set(re.findall(r"^(?:# )?([A-Z_]+)=", example, re.MULTILINE)) == variables - {"DEBUG", "ENV_FILE"}
