"""The environment, read with suspicion: what is missing or wrong stops the start, with one line that says so.

Blank is the same as not set. What may hold a password is never repeated in that line.
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

Value = TypeVar("Value")

BOOLEANS = dict.fromkeys(("true", "yes", "on", "1"), True) | dict.fromkeys(("false", "no", "off", "0"), False)
PLACEHOLDER = re.compile("insecure|example|change.?(me|this|it)|your.?secret|placeholder", re.IGNORECASE)
HOST = re.compile(r"\.?[a-z0-9_-]+(\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\]", re.IGNORECASE)
MAIL_SCHEMES = ("smtp", "smtps", "smtp+tls", "smtp+ssl")
MAIL_ELSEWHERE = ("consolemail", "filemail", "memorymail", "dummymail")


def stop(sentence: str) -> NoReturn:
    """End whichever program this is, with this line and a status that is not 0."""
    raise SystemExit(sentence)


def read(
    name: str,
    parse: Callable[[str], Value],
    *,
    should: str,
    default: Value | None = None,
    is_secret: bool = False,
) -> Value:
    """The variable's value. ``parse`` raises ValueError for a text that is not what it ``should`` be."""
    text = os.environ.get(name, "").strip()
    if not text:
        return default if default is not None else stop(f"{name} is not set: it should be {should}.")
    try:
        return parse(text)
    except ValueError:
        stop(f"{name} is {'not right' if is_secret else ascii(text)}: it should be {should}.")


def ensure(condition: object) -> None:
    """Raise ValueError unless the condition holds."""
    if not condition:
        raise ValueError


# Where the variables come from.


def file(name: str, *, default: Path) -> None:
    """Take what is not set from the file that this variable names, or from the default where there is one."""
    path = read(name, existing, should="the path of a file", default=default)
    try:
        text = path.read_text(encoding="utf-8") if path.exists() else ""
    except UnicodeDecodeError:
        text = "\0"
    if text.startswith("\ufeff") or "\0" in text:
        stop(f"{path} cannot be read: save it as UTF-8 without a byte order mark (BOM).")
    for number, line in enumerate(text.splitlines(), start=1):
        # Left to environ, such a line would be quoted and otherwise ignored.
        if line and not re.match(r"#|(export )?\w+=", line):
            stop(f"Line {number} of {path} is not right: it should be NAME=value, or begin with a #.")
    environ.Env.read_env(path)


def existing(text: str) -> Path:
    path = Path(text)
    ensure(path.exists())
    return path


# What they hold.


def flag(name: str, *, default: bool) -> bool:
    def parse(text: str) -> bool:
        ensure(text.lower() in BOOLEANS)
        return BOOLEANS[text.lower()]

    return read(name, parse, should="true or false", default=default)


def whole(name: str, *, default: int, at_least: int = 1, at_most: float = inf) -> int:
    def parse(text: str) -> int:
        ensure(text.isascii() and text.isdigit() and at_least <= int(text) <= at_most)
        return int(text)

    to = "" if at_most == inf else f" to {at_most}"
    return read(name, parse, should=f"a whole number from {at_least}{to}", default=default)


def seconds(name: str, *, default: float) -> float:
    def parse(text: str) -> float:
        ensure(text.isascii() and "_" not in text and 0 <= float(text) < inf)
        return float(text)

    return read(name, parse, should="a number of seconds from 0", default=default)


def one_of(name: str, choices: Collection[str], *, default: str) -> str:
    """One of these words, in capital letters or not."""
    spelled = {choice.lower(): choice for choice in choices}

    def parse(text: str) -> str:
        ensure(text.lower() in spelled)
        return spelled[text.lower()]

    return read(name, parse, should=f"one of {', '.join(choices)}", default=default)


def several(
    name: str,
    check: Callable[[str], object],
    *,
    should: str,
    default: list[str],
    is_secret: bool = False,
) -> list[str]:
    """Comma-separated values, each of which ``check`` takes without a ValueError."""

    def parse(text: str) -> list[str]:
        values = [value.strip() for value in text.split(",") if value.strip()]
        for value in values:
            check(value)
        return values

    return read(name, parse, should=f"{should}, comma-separated", default=default, is_secret=is_secret)


def secret_key(name: str, *, any_will_do: bool) -> str:
    """What signatures rest on: long, of many characters, and nobody's example, unless any will do."""

    def parse(text: str) -> str:
        ensure(any_will_do or is_strong(text))
        return text

    should = (
        "at least 50 random characters, such as python -c 'import secrets; print(secrets.token_urlsafe(50))'"
    )
    return read(name, parse, should=should, is_secret=True)


def former_secret_keys(name: str, *, any_will_do: bool) -> list[str]:
    """Those that signatures rested on before. They are believed, so they are held to the same."""
    return several(
        name,
        lambda text: ensure(any_will_do or is_strong(text)),
        should="former secret keys, each of at least 50 random characters",
        default=[],
        is_secret=True,
    )


def is_strong(text: str) -> bool:
    return len(text) >= 50 and len(set(text)) >= 10 and not PLACEHOLDER.search(text)


def token(name: str) -> str:
    """A secret that programs send, or nothing."""

    def parse(text: str) -> str:
        ensure(re.fullmatch(r"[\w.~+/=-]{32,}", text, re.ASCII) and not PLACEHOLDER.search(text))
        return text

    should = "blank, or at least 32 random letters and digits"
    return read(name, parse, should=should, default="", is_secret=True)


def database(name: str, *, default: str) -> dict[str, Any]:
    """Django's settings for the database at an address."""

    def parse(text: str) -> dict[str, Any]:
        scheme = text.partition(":")[0]
        ensure(scheme in {"sqlite", "postgres", "postgresql"})
        # The name of the file would end there.
        ensure(scheme != "sqlite" or "#" not in text)
        found: dict[str, Any] = environ.Env.db_url_config(text)
        # In memory, every thread would have a database of its own.
        ensure(found["NAME"] not in {"", ":memory:"})
        return found

    should = "postgres://user:password@host:port/name or sqlite:////path/of/a/file, with # written as %23"
    return read(name, parse, should=should, default=parse(default), is_secret=True)


def email(name: str, *, default: str) -> dict[str, Any]:
    """Django's settings for sending e-mail through the server at an address."""

    def parse(text: str) -> dict[str, Any]:
        url = urlsplit(text)
        ensure(url.scheme in MAIL_ELSEWHERE or (url.scheme in MAIL_SCHEMES and url.hostname))
        settings: dict[str, Any] = environ.Env.email_url_config(text)
        if url.scheme == "filemail":
            # django-environ drops the first slash: e-mail would land below the working directory.
            ensure(url.path and not url.netloc)
            settings["EMAIL_FILE_PATH"] = url.path
        return settings

    should = (
        "smtp+tls://user:password@host:port, smtp:, smtp+ssl:, consolemail: or filemail:///path/of/a/folder"
    )
    return read(name, parse, should=should, default=parse(default), is_secret=True)


def redis(name: str) -> str:
    """The address of a Redis or Valkey, or nothing."""

    def parse(text: str) -> str:
        url = urlsplit(text)
        ensure(
            url.scheme in {"redis", "rediss", "unix"} and (url.path if url.scheme == "unix" else url.hostname)
        )
        ensure(url.port is None or url.port)
        return text

    should = "redis://host:port/0, rediss: with TLS, or unix:///path/of/a/socket"
    return read(name, parse, should=should, default="", is_secret=True)


def sender(name: str, *, default: str) -> str:
    def parse(text: str) -> str:
        _, address = parseaddr(text)
        ensure(re.fullmatch(r"[^@\s]+@[^@\s]+", address) and text.isprintable())
        return text

    return read(name, parse, should="an e-mail address, such as Reflow <noreply@shop.com>", default=default)


def hosts(name: str, *, default: list[str]) -> list[str]:
    # "*" would let whoever asks choose the host that is written into e-mail.
    return several(
        name,
        lambda text: ensure(HOST.fullmatch(text)),
        should="host names such as api.shop.com",
        default=default,
    )


def origins(name: str) -> list[str]:
    def check(text: str) -> None:
        url = urlsplit(text)
        ensure(url.scheme in {"http", "https"} and url.hostname and text == f"{url.scheme}://{url.netloc}")

    return several(name, check, should="origins such as https://shop.com", default=[])


def networks(name: str) -> list[str]:
    return several(name, ip_network, should="networks such as 10.0.0.0/8", default=[])
