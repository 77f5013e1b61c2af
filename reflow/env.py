"""Read the environment. A variable that is missing or wrong stops the start, with one line that names it.

Blank is the same as not set. What may hold a password is never repeated in that line. In each function
``should`` ends the line's "it should be".
"""

import os
import re
from collections.abc import Callable, Collection
from email.utils import parseaddr
from ipaddress import ip_network
from math import inf
from pathlib import Path
from typing import Any, NoReturn, TypeVar
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

Value = TypeVar("Value")

BOOLEANS = dict.fromkeys(("true", "yes", "on", "1"), True) | dict.fromkeys(("false", "no", "off", "0"), False)
PLACEHOLDER = re.compile("insecure|example|change.?(me|this|it)|your.?secret|placeholder", re.IGNORECASE)
POSTGRESQL = "django.db.backends.postgresql"
HOST = re.compile(r"\.?[a-z0-9_-]+(\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\]", re.IGNORECASE)
TOKEN = re.compile(r"[\w.~+/=-]{32,}", re.ASCII)


def stop(message: str) -> NoReturn:
    """End the program with this line and a status that is not 0."""
    raise SystemExit(message)


def ensure(condition: object) -> None:
    """Raise ValueError unless the condition holds."""
    if not condition:
        raise ValueError


def read(
    name: str,
    parse: Callable[[str], Value],
    *,
    should: str,
    default: Value | None = None,
    is_secret: bool = False,
) -> Value:
    """Return the parsed variable. ``parse`` raises an error for a wrong text."""
    text = os.environ.get(name, "").strip()
    if not text:
        return default if default is not None else stop(f"{name} is not set: it should be {should}.")
    try:
        return parse(text)
    except (ValueError, KeyError, ImproperlyConfigured):
        stop(f"{name} is {'not right' if is_secret else ascii(text)}: it should be {should}.")


def file(name: str, *, default: Path) -> None:
    """Take what is not set from the file that the variable names, or from the default if that exists."""

    def parse(text: str) -> Path:
        ensure(Path(text).exists())
        return Path(text)

    path = read(name, parse, should="the path of a file", default=default)
    try:
        text = path.read_text(encoding="utf-8") if path.exists() else ""
    except UnicodeDecodeError:
        text = "\0"
    if text.startswith("\ufeff") or "\0" in text:
        stop(f"{path} cannot be read: save it as UTF-8 without a byte order mark (BOM).")
    for number, line in enumerate(text.splitlines(), start=1):
        # django-environ would quote such a line in a warning and ignore it.
        if line and not re.match(r"#|(export )?\w+=", line):
            stop(f"Line {number} of {path} is not right: it should be NAME=value, or begin with a #.")
    environ.Env.read_env(path)


def text(
    name: str,
    check: Callable[[str], object],
    *,
    should: str,
    default: str | None = None,
    is_secret: bool = False,
) -> str:
    """Return a text that passes the check: it returns something true, and raises no ValueError."""

    def parse(text: str) -> str:
        ensure(check(text))
        return text

    return read(name, parse, should=should, default=default, is_secret=is_secret)


def comma_separated(
    name: str,
    check: Callable[[str], object],
    *,
    should: str,
    default: Collection[str] = (),
    is_secret: bool = False,
) -> list[str]:
    """Return the texts between commas, each of which passes the check."""

    def parse(text: str) -> list[str]:
        values = [value.strip() for value in text.split(",") if value.strip()]
        for value in values:
            ensure(check(value))
        return values

    should = f"{should}, comma-separated"
    return read(name, parse, should=should, default=list(default), is_secret=is_secret)


def boolean(name: str, *, default: bool) -> bool:
    return read(name, lambda text: BOOLEANS[text.lower()], should="true or false", default=default)


def integer(name: str, *, default: int, minimum: int = 1) -> int:
    def parse(text: str) -> int:
        ensure(text.isascii() and text.isdigit() and int(text) >= minimum)
        return int(text)

    return read(name, parse, should=f"a whole number from {minimum}", default=default)


def seconds(name: str, *, default: float) -> float:
    def parse(text: str) -> float:
        ensure(text.isascii() and "_" not in text and 0 <= float(text) < inf)
        return float(text)

    return read(name, parse, should="a number of seconds from 0", default=default)


def choice(name: str, choices: Collection[str], *, default: str) -> str:
    """Return one of the choices, in capital letters or not."""
    spelled = {choice.lower(): choice for choice in choices}
    should = f"one of {', '.join(choices)}"
    return read(name, lambda text: spelled[text.lower()], should=should, default=default)


def database(name: str, *, default: str) -> dict[str, Any]:
    """Return Django's settings for the database at a URL."""
    should = "postgres://user:password@host:port/name or sqlite:////path/of/a/file, with # written as %23"
    return read(name, parse_database, should=should, default=parse_database(default), is_secret=True)


def replicas(name: str, *, primary: dict[str, Any]) -> list[dict[str, Any]]:
    """Return Django's settings for the read replicas of a database, at URLs between commas."""

    def parse(text: str) -> list[dict[str, Any]]:
        found = [parse_database(url.strip()) for url in text.split(",")]
        ensure({database["ENGINE"] for database in (primary, *found)} == {POSTGRESQL})
        ensure(primary not in found)
        return found

    should = "postgres://user:password@host:port/name, comma-separated, beside such a DATABASE_URL"
    return read(name, parse, should=should, default=[], is_secret=True)


def parse_database(text: str) -> dict[str, Any]:
    scheme = text.partition(":")[0]
    ensure(scheme in {"sqlite", "postgres", "postgresql"})
    # The name of the file would end there.
    ensure(scheme != "sqlite" or "#" not in text)
    found: dict[str, Any] = environ.Env.db_url_config(text)
    # In memory, every thread would have a database of its own.
    ensure(found["NAME"] not in {"", ":memory:"})
    return found


def email(name: str, *, default: str) -> dict[str, Any]:
    """Return Django's settings for sending e-mail through the server at a URL."""

    def parse(text: str) -> dict[str, Any]:
        url = urlsplit(text)
        settings: dict[str, Any] = environ.Env.email_url_config(text)
        ensure(url.hostname or not url.scheme.startswith("smtp"))
        if url.scheme == "filemail":
            # django-environ drops the first slash: e-mail would land below the working directory.
            ensure(url.path and not url.netloc)
            settings["EMAIL_FILE_PATH"] = url.path
        return settings

    should = (
        "smtp+tls://user:password@host:port, smtp:, smtp+ssl:, consolemail: or filemail:///path/of/a/folder"
    )
    return read(name, parse, should=should, default=parse(default), is_secret=True)


# Checks of a text. Each returns something true, or raises ValueError, for one that is right.


def is_strong_secret(text: str) -> bool:
    return len(text) >= 50 and len(set(text)) >= 10 and not PLACEHOLDER.search(text)


def is_token(text: str) -> bool:
    return bool(TOKEN.fullmatch(text) and not PLACEHOLDER.search(text))


def is_redis_url(text: str) -> bool:
    url = urlsplit(text)
    if url.scheme == "unix":
        return bool(url.path)
    if url.scheme in {"redis+cluster", "rediss+cluster"}:
        nodes = [urlsplit(f"//{node}") for node in url.netloc.rpartition("@")[2].split(",")]
        has_one_login = url.netloc.count("@") <= 1
        return has_one_login and url.path in {"", "/"} and all(node.hostname and node.port for node in nodes)
    return url.scheme in {"redis", "rediss"} and bool(url.hostname) and url.port != 0


def is_sender(text: str) -> bool:
    _, address = parseaddr(text)
    return bool(re.fullmatch(r"[^@\s]+@[^@\s]+", address)) and text.isprintable()


def is_host(text: str) -> bool:
    # "*" would let whoever asks choose the host that is written into e-mail.
    return bool(HOST.fullmatch(text))


def is_origin(text: str) -> bool:
    url = urlsplit(text)
    return url.scheme in {"http", "https"} and bool(url.hostname) and text == f"{url.scheme}://{url.netloc}"


def is_network(text: str) -> bool:
    return bool(ip_network(text))
