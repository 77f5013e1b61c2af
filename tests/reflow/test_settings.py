"""Settings that the environment decides."""

import os
import re
import runpy
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import environ
import pytest
from django.conf import settings

from reflow import env

SETTINGS = Path(settings.BASE_DIR) / "reflow" / "settings.py"
GUNICORN = ["-m", "gunicorn", "-c", "python:reflow.server.gunicorn"]
SECRET = {"SECRET_KEY": "long and random enough for this, with 50 characters and more"}


def load(environment: dict[str, str], file: Path = SETTINGS) -> dict[str, Any]:
    """Return the settings that these variables make, read here: a process for each would take a minute."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "environ", dict(environment))
        patch.setattr(environ.Env, "ENVIRON", os.environ)
        return runpy.run_path(str(file))


# A wrong value of every variable, some in more than one way, and a word of what it should be.
WRONG = [
    ("ENV_FILE", "/nowhere/at-all", "file"),
    ("DEBUG", "perhaps", "true or false"),
    ("HTTPS", "maybe", "true or false"),
    ("HSTS_SECONDS", "-1", "a whole number from 0"),
    ("HSTS_INCLUDE_SUBDOMAINS", "all", "true or false"),
    ("HSTS_PRELOAD", "x", "true or false"),
    ("SECRET_KEY", "", "at least 50 random characters"),
    ("SECRET_KEY", "x7!" * 8, "at least 50 random characters"),
    ("SECRET_KEY", "abc" * 20, "at least 50 random characters"),
    ("SECRET_KEY", "Change-me! " + SECRET["SECRET_KEY"], "at least 50 random characters"),
    ("SECRET_KEY", "django-insecure-" + SECRET["SECRET_KEY"], "at least 50 random characters"),
    ("SECRET_KEY_FALLBACKS", f"{'hush7!x_y-' * 6},short", "at least 50 random characters"),
    ("ALLOWED_HOSTS", "*", "host names"),
    ("ALLOWED_HOSTS", "https://shop.example", "host names"),
    ("CSRF_TRUSTED_ORIGINS", "shop.example", "https://"),
    ("SITE_URL", "https://shop.example/path", "https://"),
    ("DATABASE_URL", "oracle://user:hush@host/name", "postgres://"),
    ("DATABASE_URL", "postgres://user:hush@host:port/name", "postgres://"),
    ("DATABASE_URL", "sqlite://", "sqlite:///"),
    ("DATABASE_URL", "sqlite:////srv/C#/db.sqlite3", "# written as %23"),
    # With a primary that is a file, no replica is right.
    ("DATABASE_REPLICA_URL", "postgres://user:hush@host/name", "beside such a DATABASE_URL"),
    ("REPLICA_MAX_LAG_SECONDS", "1", "a whole number from 2"),
    ("CONN_MAX_AGE", "-1", "a whole number from 0"),
    ("PREPARE_THRESHOLD", "-1", "a whole number from 0"),
    ("DATABASE_TIMEOUT_SECONDS", "soon", "a number of seconds from 0"),
    ("REAUTHENTICATION_TIMEOUT", "1h", "a whole number from 1"),
    ("EMAIL_URL", "smtp://:hush@", "smtp+tls://"),
    ("EMAIL_URL", "smtp://user:hush@host:mail", "smtp+tls://"),
    ("EMAIL_URL", "filemail://tmp/mail", "filemail:///path"),
    ("DEFAULT_FROM_EMAIL", "Reflow", "e-mail address"),
    ("DEFAULT_FROM_EMAIL", "Reflow <a@b>\nBcc: c@d", "e-mail address"),
    ("RATE_LIMIT_PER_KEY", "abc", "a whole number from 1"),
    ("RATE_LIMIT_PER_ADDRESS", "-5", "a whole number from 1"),
    ("RATE_LIMIT_FAILED_KEYS", "0", "a whole number from 1"),
    ("RATE_LIMIT_REVOCATIONS", "1.5", "a whole number from 1"),
    ("REDIS_URL", "localhost:6379", "redis://"),
    ("REDIS_URL", "redis://:hush@host:port", "redis://"),
    ("REDIS_URL", "redis+cluster://:hush@one:7000,two:0", "redis+cluster://"),
    ("OIDC_ISSUERS", "http://gitlab.example.com", "https:// addresses"),
    ("OIDC_ISSUERS", "https://gitlab.example.com=/no/such/file", "=/path/of/a/CA.pem"),
    ("TRUSTED_PROXIES", "10.0.0.0/8, proxy", "10.0.0.0/8"),
    ("TRUSTED_PROXIES", "10.0.0.1/8", "10.0.0.0/8"),
    ("TRUST_X_FORWARDED_PROTO", "2", "true or false"),
    ("USAGE_FLUSH_SECONDS", "-1", "a number of seconds from 0"),
    ("USAGE_FLUSH_SECONDS", "nan", "a number of seconds from 0"),
    ("USAGE_KEPT_DAYS", "29", "a whole number from 30"),
    ("REQUEST_LOG", "some", "all, errors, off"),
    ("REQUEST_LOG_DAYS", "0", "a whole number from 1"),
    ("LOG_LEVEL", "LOUD", "DEBUG, INFO, WARNING, ERROR"),
    ("LOG_FORMAT", "xml", "json, text"),
    ("METRICS_TOKEN", "hush", "at least 32"),
    ("METRICS_TOKEN", "hush" * 8 + " é", "at least 32"),
]


@pytest.mark.parametrize(("name", "value", "should"), WRONG)
def test_a_wrong_variable_is_one_line_that_names_it(name: str, value: str, should: str) -> None:
    variables = {"ENV_FILE": os.devnull} | SECRET | {name: value}
    line = refusal(variables)
    assert line.startswith(f"{name} is ")
    assert should in line
    assert "hush" not in line
    assert SECRET["SECRET_KEY"] not in line
    assert "\n" not in line


def refusal(variables: dict[str, str]) -> str:
    """Return the line with which the settings stop."""
    with pytest.raises(SystemExit) as stopped:
        load(variables)
    return str(stopped.value)


def test_every_variable_is_tried() -> None:
    assert {name for name, _, _ in WRONG} == variables()


@pytest.mark.parametrize("command", [["manage.py", "check"], GUNICORN])
def test_whatever_is_started_says_it_in_one_line(command: list[str]) -> None:
    result = subprocess.run(
        [sys.executable, *command],
        cwd=settings.BASE_DIR,
        env={"ENV_FILE": os.devnull, "SECRET_KEY": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode not in {0, None}
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert line.startswith("SECRET_KEY is not set: it should be at least 50 random characters")


@pytest.mark.parametrize(
    ("processes", "line"),
    [
        ("many", "WEB_PROCESSES is 'many': it should be a whole number from 1."),
        # They count rate limits in one place.
        ("2", "WEB_PROCESSES is more than 1, but REDIS_URL is not set"),
    ],
)
def test_the_servers_own_variables_too(processes: str, line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    server = SETTINGS.with_name("server") / "gunicorn.py"
    monkeypatch.setattr("reflow.settings.REDIS_URL", "")
    with pytest.raises(SystemExit, match=line):
        load(SECRET | {"WEB_PROCESSES": processes}, server)
    monkeypatch.setattr("reflow.settings.REDIS_URL", "redis://localhost:1/0")
    assert load(SECRET | {"WEB_PROCESSES": "2"}, server)["workers"] == 2


def test_the_example_copied_as_it_is_starts_nothing() -> None:
    line = refusal({"ENV_FILE": str(settings.BASE_DIR / ".env.example")})
    assert line.startswith("SECRET_KEY is not set")


def test_a_line_of_the_file_that_cannot_be_read_is_named_and_not_quoted(tmp_path: Path) -> None:
    file = tmp_path / "env"
    file.write_text("HTTPS=false\nSECRET_KEY = hush\n")
    line = refusal({"ENV_FILE": str(file)})
    assert line.startswith(f"Line 2 of {file} is not right: it should be NAME=value")
    assert "hush" not in line


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "latin-1"])
def test_a_file_in_another_encoding_than_utf8_gets_one_line(encoding: str, tmp_path: Path) -> None:
    file = tmp_path / "env"
    file.write_bytes("# für uns\nHTTPS=false\n".encode(encoding))
    assert re.match(f"Line [12] of {file} is not right: .* in UTF-8", refusal({"ENV_FILE": str(file)}))


PRIMARY = {"DATABASE_URL": "postgres://reflow@db.example/reflow"}
FORMER = [f"the one before was random enough: 50 characters, yes {end}".replace(",", "") for end in "12"]
HSTS = ("SECURE_HSTS_SECONDS", "SECURE_HSTS_INCLUDE_SUBDOMAINS", "SECURE_HSTS_PRELOAD")
HTTPS_SETTINGS = ("SECURE_SSL_REDIRECT", "SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE")


@pytest.mark.parametrize(
    ("variables", "made"),
    [
        ({}, {"DEBUG": False, "SECRET_KEY_FALLBACKS": [], "MAIL_SERVER": {}}),
        ({"DEBUG": "true", "SECRET_KEY": "short"}, {"DEBUG": True, "SECRET_KEY": "short"}),
        ({"SECRET_KEY_FALLBACKS": ",".join(FORMER)}, {"SECRET_KEY_FALLBACKS": FORMER}),
        ({}, dict.fromkeys((*HTTPS_SETTINGS, "CSRF_COOKIE_HTTPONLY"), True)),
        ({"HTTPS": "false"}, dict.fromkeys(HTTPS_SETTINGS, False) | {"SECURE_HSTS_SECONDS": 0}),
        # Browsers keep HSTS for as long as it says: a week of one host unless more is switched on.
        ({}, dict(zip(HSTS, (604800, False, False), strict=True))),
        (
            {"HSTS_SECONDS": "63072000", "HSTS_INCLUDE_SUBDOMAINS": "true", "HSTS_PRELOAD": "true"},
            dict(zip(HSTS, (63072000, True, True), strict=True)),
        ),
        # Over HTTPS, no neighbour can set the cookies.
        ({}, {"SESSION_COOKIE_NAME": "__Host-sessionid", "CSRF_COOKIE_NAME": "__Host-csrftoken"}),
        ({"HTTPS": "false"}, {"SESSION_COOKIE_NAME": "sessionid", "CSRF_COOKIE_NAME": "csrftoken"}),
        ({}, {"SECURE_PROXY_SSL_HEADER": None}),
        (
            {"TRUST_X_FORWARDED_PROTO": "true"},
            {"SECURE_PROXY_SSL_HEADER": ("HTTP_X_FORWARDED_PROTO", "https")},
        ),
        ({"EMAIL_URL": "filemail:///var/mail"}, {"EMAIL_FILE_PATH": "/var/mail"}),
        ({}, {"DATABASE_ROUTERS": None}),
        (PRIMARY, {"DATABASE_ROUTERS": None}),
    ],
)  # fmt: skip
def test_variables_decide_settings(variables: dict[str, str], made: dict[str, Any]) -> None:
    loaded = load({"ENV_FILE": os.devnull} | SECRET | variables)
    assert {name: loaded.get(name) for name in made} == made


def test_blank_is_not_set() -> None:
    blank = dict.fromkeys(variables() - {"ENV_FILE", "SECRET_KEY"}, " ")
    usual, loaded = (load({"ENV_FILE": os.devnull} | SECRET | more) for more in ({}, blank))
    assert {name: loaded[name] for name in usual if name.isupper()} == {
        name: value for name, value in usual.items() if name.isupper()
    }


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "env"
    file.write_text("HTTPS=false\nALLOWED_HOSTS=shop.example\n")
    for given, https in (({}, False), ({"HTTPS": "true"}, True)):
        loaded = load({"ENV_FILE": str(file)} | SECRET | given)
        assert (loaded["HTTPS"], loaded["ALLOWED_HOSTS"]) == (https, ["shop.example"])


@pytest.mark.parametrize(
    "urls",
    [
        "postgres://user:hush@host/name,postgres://user:hush@host",
        "sqlite:////srv/hush.sqlite3",
        PRIMARY["DATABASE_URL"],
    ],
)
def test_a_replica_is_a_postgresql_like_the_primary(urls: str) -> None:
    line = refusal({"ENV_FILE": os.devnull} | SECRET | PRIMARY | {"DATABASE_REPLICA_URL": urls})
    assert line.startswith("DATABASE_REPLICA_URL is not right: it should be postgres://")
    assert "hush" not in line
    assert "\n" not in line


def databases(**variables: str) -> dict[str, Any]:
    found: dict[str, Any] = load({"ENV_FILE": os.devnull} | SECRET | variables)["DATABASES"]
    return found


def test_the_database_is_a_file_unless_others_are_named() -> None:
    assert databases()["default"]["ENGINE"] == "django.db.backends.sqlite3"
    urls = "postgres://reflow@one.example/reflow, postgres://reflow@two.example/reflow"
    found = databases(**PRIMARY, DATABASE_REPLICA_URL=urls)
    assert {alias: database["HOST"] for alias, database in found.items()} == {
        "default": "db.example",
        "replica1": "one.example",
        "replica2": "two.example",
    }


@pytest.mark.parametrize("folder", ["c++ demo", "C#", "100%25", "what?", "[a]", "Läden;x=1&y"])
def test_the_database_is_inside_a_checkout_of_any_name(folder: str, tmp_path: Path) -> None:
    checkout = tmp_path / folder
    (checkout / "reflow").mkdir(parents=True)
    copied = shutil.copy(SETTINGS, checkout / "reflow")
    loaded = load(SECRET | {"ENV_FILE": os.devnull}, Path(copied))
    assert loaded["DATABASES"]["default"]["NAME"] == str(checkout / "db.sqlite3")


def test_options_of_postgresql_follow_from_variables_and_its_url() -> None:
    usual = databases(**PRIMARY)["default"]["OPTIONS"]
    # Parameters are sent apart only where statements are prepared; a server that is away is given up on.
    assert ("server_side_binding" in usual, usual["connect_timeout"]) == (False, 5)
    assert databases(**PRIMARY, PREPARE_THRESHOLD="5")["default"]["OPTIONS"]["server_side_binding"]
    url = f"{PRIMARY['DATABASE_URL']}?connect_timeout=9"
    assert databases(DATABASE_URL=url)["default"]["OPTIONS"]["connect_timeout"] == 9


def variables() -> set[str]:
    """The names of all that the settings read."""
    return env.NAMES - {"HOST", "PORT", "DEMO_OWNER_PASSWORD", "WEB_PROCESSES", "WEB_THREADS"}
