"""What the environment decides, each time in a process of its own: settings are read once."""

import json
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

pytestmark = pytest.mark.once

GUNICORN = ["-m", "gunicorn", "-c", "python:reflow.server.gunicorn"]
SECRET = {"SECRET_KEY": "long and random enough for this, with 50 characters and more"}


def run(arguments: list[str], environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run Python with nothing but this in the environment."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=settings.BASE_DIR,
        env={"ENV_FILE": os.devnull, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def read(names: str, **environment: str) -> Any:
    code = f"import json; from reflow import settings as s; print(json.dumps([{names}]))"
    result = run(["-c", code], SECRET | environment)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


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
    ("SECRET_KEY", "django-insecure-" + SECRET["SECRET_KEY"], "at least 50 random characters"),
    ("SECRET_KEY", "Change-me! " + SECRET["SECRET_KEY"], "at least 50 random characters"),
    ("SECRET_KEY_FALLBACKS", "hush", "at least 50 random characters"),
    ("SECRET_KEY_FALLBACKS", f"{'hush7!x_y-' * 6},short", "at least 50 random characters"),
    ("ALLOWED_HOSTS", "*", "host names"),
    ("ALLOWED_HOSTS", "https://shop.example", "host names"),
    ("ALLOWED_HOSTS", "shop.example shop.test", "host names"),
    ("CSRF_TRUSTED_ORIGINS", "shop.example", "https://"),
    ("CSRF_TRUSTED_ORIGINS", "https://shop.example/", "https://"),
    ("SITE_URL", "shop.example", "https://"),
    ("SITE_URL", "https://shop.example/path", "https://"),
    ("DATABASE_URL", "oracle://user:hush@host/name", "postgres://"),
    ("DATABASE_URL", "postgres://user:hush@host:port/name", "postgres://"),
    ("DATABASE_URL", "postgres://user:hush@host", "postgres://"),
    ("DATABASE_URL", "db.sqlite3", "sqlite:///"),
    ("DATABASE_URL", "sqlite://", "sqlite:///"),
    ("DATABASE_URL", "sqlite:////srv/C#/db.sqlite3", "# written as %23"),
    # With a primary that is a file, no replica is right.
    ("DATABASE_REPLICA_URL", "postgres://user:hush@host/name", "beside such a DATABASE_URL"),
    ("REPLICA_MAX_LAG_SECONDS", "1", "a whole number from 2"),
    ("CONN_MAX_AGE", "-1", "a whole number from 0"),
    ("PREPARE_THRESHOLD", "-1", "a whole number from 0"),
    ("DATABASE_TIMEOUT_SECONDS", "soon", "a number of seconds from 0"),
    ("REAUTHENTICATION_TIMEOUT", "1h", "a whole number from 1"),
    ("EMAIL_URL", "mail.example", "smtp+tls://"),
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
    ("REDIS_URL", "redis+cluster://:hush@one:7000,two", "redis+cluster://"),
    ("REDIS_URL", "redis+cluster://:hush@one:7000,two:0", "redis+cluster://"),
    ("REDIS_URL", "rediss+cluster://:hush@hush@one:7000", "redis+cluster://"),
    ("REDIS_URL", "rediss+cluster://:hush@one:7000/1", "redis+cluster://"),
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
    """What the settings say to these variables, read here: a process for each would take a minute."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "environ", dict(variables))
        patch.setattr(environ.Env, "ENVIRON", os.environ)
        with pytest.raises(SystemExit) as stopped:
            runpy.run_path(str(settings.BASE_DIR / "reflow" / "settings.py"))
    return str(stopped.value)


def test_every_variable_is_tried() -> None:
    assert {name for name, _, _ in WRONG} == variables()


@pytest.mark.parametrize(
    "command",
    [
        ["manage.py", "check"],
        ["manage.py", "migrate"],
        GUNICORN,
    ],
)
def test_whatever_is_started_says_it_in_one_line(command: list[str]) -> None:
    result = run(command, {"SECRET_KEY": ""})
    assert result.returncode not in {0, None}
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert line.startswith("SECRET_KEY is not set: it should be at least 50 random characters")


def test_the_servers_own_variables_too() -> None:
    result = run(GUNICORN, SECRET | {"WEB_PROCESSES": "many"})
    assert result.returncode != 0
    assert result.stderr == "WEB_PROCESSES is 'many': it should be a whole number from 1.\n"


def test_a_second_process_needs_counters_that_it_shares() -> None:
    alone = run([*GUNICORN, "--check-config"], SECRET | {"WEB_PROCESSES": "2"})
    assert alone.returncode != 0
    (line,) = alone.stderr.splitlines()
    assert "REDIS_URL is not set" in line
    redis = {"REDIS_URL": "redis://localhost:1/0"}
    assert run([*GUNICORN, "--check-config"], SECRET | redis | {"WEB_PROCESSES": "2"}).returncode == 0


def test_the_example_copied_as_it_is_starts_nothing() -> None:
    line = refusal({"ENV_FILE": str(settings.BASE_DIR / ".env.example")})
    assert line.startswith("SECRET_KEY is not set")


def test_a_line_of_the_file_that_cannot_be_read_is_named_and_not_quoted(tmp_path: Path) -> None:
    file = tmp_path / "env"
    file.write_text("HTTPS=false\nSECRET_KEY = hush\n")
    line = refusal({"ENV_FILE": str(file)})
    assert line == f"Line 2 of {file} is not right: it should be NAME=value, or begin with a #."


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "latin-1"])
def test_a_file_in_another_encoding_than_utf8_gets_one_line(encoding: str, tmp_path: Path) -> None:
    file = tmp_path / "env"
    file.write_bytes("# für uns\nHTTPS=false\n".encode(encoding))
    line = refusal({"ENV_FILE": str(file)})
    assert line == f"{file} cannot be read: save it as UTF-8 without a byte order mark (BOM)."


def test_blank_is_not_set() -> None:
    blank = dict.fromkeys(variables() - {"ENV_FILE", "SECRET_KEY"}, "")
    assert read("s.HTTPS, s.ALLOWED_HOSTS[0], s.REDIS_URL", **blank) == [True, "localhost", ""]


def test_for_development_any_secret_key_will_do() -> None:
    assert read("s.SECRET_KEY", SECRET_KEY="short", DEBUG="true") == ["short"]


HTTPS_SETTINGS = (
    "s.SECURE_SSL_REDIRECT, s.SESSION_COOKIE_SECURE, s.CSRF_COOKIE_SECURE, s.SECURE_HSTS_SECONDS > 0"
)


def test_https_is_on_unless_it_is_switched_off() -> None:
    assert read(HTTPS_SETTINGS) == [True, True, True, True]


def test_hsts_is_a_week_of_one_host_unless_more_is_switched_on() -> None:
    names = "s.SECURE_HSTS_SECONDS, s.SECURE_HSTS_INCLUDE_SUBDOMAINS, s.SECURE_HSTS_PRELOAD"
    assert read(names) == [604800, False, False]
    more = {"HSTS_SECONDS": "63072000", "HSTS_INCLUDE_SUBDOMAINS": "true", "HSTS_PRELOAD": "true"}
    assert read(names, **more) == [63072000, True, True]


def test_one_switch_turns_off_all_that_https_means() -> None:
    assert read(HTTPS_SETTINGS, HTTPS="false") == [False, False, False, False]


def test_over_https_no_neighbour_can_set_the_cookies() -> None:
    names = "s.SESSION_COOKIE_NAME, s.CSRF_COOKIE_NAME"
    assert read(names) == ["__Host-sessionid", "__Host-csrftoken"]
    assert read(names, HTTPS="false") == ["sessionid", "csrftoken"]


def test_former_secret_keys_are_believed_as_long_as_they_are_named() -> None:
    assert read("s.SECRET_KEY_FALLBACKS") == [[]]
    former = ["the one before was random enough, 50 characters: yes".replace(",", "") + end for end in "12"]
    assert read("s.SECRET_KEY_FALLBACKS", SECRET_KEY_FALLBACKS=",".join(former)) == [former]


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


WITH_PRIMARY = {"DATABASE_URL": "postgres://reflow@db.example/reflow"}


@pytest.mark.parametrize(
    "urls",
    [
        "oracle://user:hush@host/name",
        "postgres://user:hush@host:port/name",
        "postgres://user:hush@host",
        "postgres://user:hush@host/name,",
        "postgres://user:hush@host/name,postgres://user:hush@host",
        "sqlite:////srv/hush.sqlite3",
        WITH_PRIMARY["DATABASE_URL"],
    ],
)
def test_a_replica_is_a_postgresql_like_the_primary(urls: str) -> None:
    line = refusal({"ENV_FILE": os.devnull} | SECRET | WITH_PRIMARY | {"DATABASE_REPLICA_URL": urls})
    assert line.startswith("DATABASE_REPLICA_URL is not right: it should be postgres://")
    assert "hush" not in line
    assert "\n" not in line


def test_replicas_are_routed_to_where_there_are_any() -> None:
    names = "{name: one['HOST'] for name, one in s.DATABASES.items()}, getattr(s, 'DATABASE_ROUTERS', [])"
    hosts, routers = read(names, **WITH_PRIMARY)
    assert (hosts, routers) == ({"default": "db.example"}, [])
    urls = "postgres://reflow@one.example/reflow, postgres://reflow@two.example/reflow"
    hosts, routers = read(names, **WITH_PRIMARY, DATABASE_REPLICA_URL=urls)
    assert hosts == {"default": "db.example", "replica1": "one.example", "replica2": "two.example"}
    assert len(routers) == 1


@pytest.mark.parametrize("folder", ["c++ demo", "C#", "100%25", "what?", "[a]", "Läden;x=1&y"])
def test_the_database_is_inside_a_checkout_of_any_name(folder: str, tmp_path: Path) -> None:
    checkout = tmp_path / folder
    (checkout / "reflow").mkdir(parents=True)
    copied = shutil.copy(settings.BASE_DIR / "reflow" / "settings.py", checkout / "reflow")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "environ", SECRET | {"ENV_FILE": os.devnull})
        assert runpy.run_path(str(copied))["DATABASES"]["default"]["NAME"] == str(checkout / "db.sqlite3")


def test_parameters_are_sent_apart_only_where_statements_are_prepared() -> None:
    options = "s.DATABASES['default']['OPTIONS']"
    url = {"DATABASE_URL": "postgres://db.example/reflow"}
    assert "server_side_binding" not in read(options, **url)[0]
    assert read(options, **url, PREPARE_THRESHOLD="5")[0]["server_side_binding"]


def test_postgresql_is_given_up_on_in_time_unless_its_address_says_otherwise() -> None:
    options = "s.DATABASES['default']['OPTIONS']['connect_timeout']"
    assert read(options, DATABASE_URL="postgres://db.example/reflow") == [5]
    assert read(options, DATABASE_URL="postgres://db.example/reflow?connect_timeout=9") == [9]


def test_email_is_written_to_the_absolute_path_of_its_address() -> None:
    assert read("s.EMAIL_FILE_PATH", EMAIL_URL="filemail:///var/mail") == ["/var/mail"]


def test_the_example_names_every_variable() -> None:
    """All but two: DEBUG is for `make dev`, and ENV_FILE says where the others are."""
    example = (settings.BASE_DIR / ".env.example").read_text()
    named = set(re.findall(r"^(?:# )?([A-Z_]+)=", example, re.MULTILINE))
    assert named == variables() - {"DEBUG", "ENV_FILE"}


def variables() -> set[str]:
    """The names of all that the settings read."""
    code = (settings.BASE_DIR / "reflow" / "settings.py").read_text()
    return set(re.findall(r'env\.\w+\(\s*"([A-Z_]+)"', code))
