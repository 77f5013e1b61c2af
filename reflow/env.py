"""Read the environment. A variable that is missing or wrong stops the start, with one line that names it.

A parser returns the value of a text, or raises ValueError with the end of that line: what the variable should
be. Blank is the same as not set. What may hold a password is never repeated.
"""

import os
import re
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from email.utils import parseaddr
from ipaddress import ip_network
from pathlib import Path
from typing import Any, NoReturn, TypeVar
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

Value = TypeVar("Value")
Parser = Callable[[str], Value]

BOOLEANS = dict.fromkeys(("true", "yes", "on", "1"), True) | dict.fromkeys(("false", "no", "off", "0"), False)
PLACEHOLDER = re.compile("insecure|example|change.?(me|this|it)|your.?secret|placeholder", re.IGNORECASE)
POSTGRESQL = "django.db.backends.postgresql"
HOST = re.compile(r"\.?[a-z0-9_-]+(\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\]", re.IGNORECASE)
NUMBER, DECIMAL = re.compile("[0-9]+"), re.compile(r"[0-9]+(\.[0-9]+)?")
TOKEN = re.compile(r"[\w.~+/=-]{32,}", re.ASCII)

# What has been read so far, and what is read later: by `make run` and by gunicorn.
NAMES = {"HOST", "PORT", "DEMO_OWNER_PASSWORD", "WEB_PROCESSES", "WEB_THREADS"}


def stop(message: str) -> NoReturn:
    """End the program with this line and a status that is not 0."""
    raise SystemExit(message)


def read(name: str, parse: Parser[Value], default: Value | None = None, *, is_secret: bool = False) -> Value:
    """Return the parsed variable, or the default where it is not set."""
    NAMES.add(name)
    text = os.environ.get(name, "").strip()
    if not text and default is not None:
        return default
    try:
        return parse(text)
    except ValueError as error:
        found = "not set" if not text else "not right" if is_secret else ascii(text)
        stop(f"{name} is {found}: it should be {error}.")


def read_file(name: str, default: Path) -> None:
    """Take what is not set from the file that the variable names, or from the default if that exists."""
    path = read(name, text(lambda text: Path(text).exists(), "the path of a file"), str(default))
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines() if Path(path).exists() else []
    except UnicodeDecodeError:
        lines = ["\0"]
    if any(line.startswith("\ufeff") or "\0" in line for line in lines):
        stop(f"{path} cannot be read: save it as UTF-8 without a byte order mark (BOM).")
    for number, line in enumerate(lines, start=1):
        # django-environ would quote such a line in a warning and ignore it.
        if line and not re.match(r"#|(export )?\w+=", line):
            stop(f"Line {number} of {path} is not right: it should be NAME=value, or begin with a #.")
    environ.Env.read_env(path)


def find_misspelled(names: Iterable[str]) -> Mapping[str, str]:
    """Return those of the names that nothing reads, each with the known one that it resembles."""
    resembling = {
        name: get_close_matches(name, NAMES, n=1, cutoff=0.85) for name in names if name not in NAMES
    }
    return {name: found[0] for name, found in sorted(resembling.items()) if found}


# Parsers, and what makes one.


def parser(convert: Callable[[str], Value], should: str) -> Parser[Value]:
    """Return a parser from a function that raises an error for a wrong text."""

    def parse(text: str) -> Value:
        try:
            return convert(text)
        except (ValueError, KeyError, ImproperlyConfigured) as error:
            raise ValueError(should) from error

    return parse


def ensure(condition: object) -> None:
    """Raise ValueError unless the condition holds."""
    if not condition:
        raise ValueError


def text(check: Callable[[str], object], should: str) -> Parser[str]:
    """Return a parser of texts for which a check returns something true, and raises no ValueError."""

    def convert(text: str) -> str:
        ensure(check(text))
        return text

    return parser(convert, should)


def comma_separated(check: Callable[[str], object], should: str) -> Parser[list[str]]:
    """Return a parser of texts between commas, each of which passes the check."""
    parse_one = text(check, f"{should}, comma-separated")
    return lambda text: [parse_one(part.strip()) for part in text.split(",") if part.strip()]


def choice(*choices: str) -> Parser[str]:
    """Return a parser of one of the choices, in capital letters or not."""
    spelled = {choice.lower(): choice for choice in choices}
    return parser(lambda text: spelled[text.lower()], f"one of {', '.join(choices)}")


def integer(minimum: int = 1) -> Parser[int]:
    check = text(
        lambda text: NUMBER.fullmatch(text) and int(text) >= minimum, f"a whole number from {minimum}"
    )
    return lambda text: int(check(text))


boolean = parser(lambda text: BOOLEANS[text.lower()], "true or false")


def seconds(text: str) -> float:
    """Return a number of seconds. Raises ValueError like a parser."""
    if not DECIMAL.fullmatch(text):
        raise ValueError("a number of seconds from 0")
    return float(text)


def parse_database(text: str) -> dict[str, Any]:
    """Return Django's settings for the database at a URL."""
    scheme = text.partition(":")[0]
    ensure(scheme in {"sqlite", "postgres", "postgresql"})
    # The name of the file would end there.
    ensure(scheme != "sqlite" or "#" not in text)
    found: dict[str, Any] = environ.Env.db_url_config(text)
    # In memory, every thread would have a database of its own.
    ensure(found["NAME"] not in {"", ":memory:"})
    return found


database = parser(
    parse_database,
    "postgres://user:password@host:port/name or sqlite:////path/of/a/file, with # written as %23",
)


def replicas(primary: dict[str, Any]) -> Parser[list[dict[str, Any]]]:
    """Return a parser of the read replicas of a database, at URLs between commas."""

    def convert(text: str) -> list[dict[str, Any]]:
        found = [parse_database(url.strip()) for url in text.split(",")]
        ensure({database["ENGINE"] for database in (primary, *found)} == {POSTGRESQL})
        ensure(primary not in found)
        return found

    return parser(
        convert, "postgres://user:password@host:port/name, comma-separated, beside such a DATABASE_URL"
    )


def parse_email(text: str) -> dict[str, Any]:
    """Return Django's settings for sending e-mail through the server at a URL."""
    url = urlsplit(text)
    settings: dict[str, Any] = environ.Env.email_url_config(text)
    ensure(url.hostname or not url.scheme.startswith("smtp"))
    if url.scheme == "filemail":
        # django-environ drops the first slash: e-mail would land below the working directory.
        ensure(url.path and not url.netloc)
        settings["EMAIL_FILE_PATH"] = url.path
    return settings


email = parser(
    parse_email,
    "smtp+tls://user:password@host:port, smtp:, smtp+ssl:, consolemail: or filemail:///path/of/a/folder",
)


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


def is_issuer(text: str) -> bool:
    address, _, ca_file = text.partition("=")
    url = urlsplit(address)
    is_base = url.scheme == "https" and bool(url.hostname) and not url.query and not url.fragment
    return is_base and (not ca_file or Path(ca_file).is_file())


def is_network(text: str) -> bool:
    return bool(ip_network(text))
