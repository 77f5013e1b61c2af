"""Read the environment. A variable that is missing or wrong stops the start, with one line that names it.

Blank is the same as not set. What may hold a password is never repeated.
"""

import os
import re
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from email.utils import parseaddr
from math import inf
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

Value = TypeVar("Value")

BOOLEANS = dict.fromkeys(("true", "yes", "on", "1"), True) | dict.fromkeys(("false", "no", "off", "0"), False)
PLACEHOLDER = re.compile("insecure|example|change.?(me|this|it)|your.?secret|placeholder", re.IGNORECASE)
POSTGRESQL, SQLITE = "django.db.backends.postgresql", "django.db.backends.sqlite3"
HOST = re.compile(r"\.?[a-z0-9_-]+(\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\]", re.IGNORECASE)
# Variables whose value may hold a password.
SECRET = re.compile("SECRET|TOKEN|URL")
TOKEN = re.compile(r"[\w.~+/=-]{32,}", re.ASCII)

# What has been read so far, and what is read later: by `make run` and by gunicorn.
NAMES = {"HOST", "PORT", "DEMO_OWNER_PASSWORD", "WEB_PROCESSES", "WEB_THREADS"}


def read(
    name: str,
    convert: Callable[[str], Value],
    should: str,
    check: Callable[[Value], object] = lambda _: True,
    default: Value | None = None,
) -> Value:
    """Return the converted variable, or the default where it is not set.

    It is wrong where ``check`` is false of it, or either raises ValueError, KeyError or ImproperlyConfigured.
    ``should`` is the end of the line that says so: what the variable should be.
    """
    NAMES.add(name)
    text = os.environ.get(name, "").strip()
    if not text and default is not None:
        return default
    try:
        value = convert(text)
        if check(value):
            return value
    except (ValueError, KeyError, ImproperlyConfigured):
        pass
    found = "not set" if not text else "not right" if SECRET.search(name) else ascii(text)
    raise SystemExit(f"{name} is {found}: it should be {should}.")


def text(name: str, check: Callable[[str], object], should: str, default: str | None = None) -> str:
    return read(name, str, should, check, default)


def texts(name: str, check: Callable[[str], object], should: str, default: Iterable[str] = ()) -> list[str]:
    """Read texts between commas, each of which passes the check."""
    return read(
        name, split, f"{should}, comma-separated", lambda found: all(map(check, found)), list(default)
    )


def split(text: str) -> list[str]:
    """Return what stands between commas. Raises ValueError where there is nothing."""
    if not (found := [part.strip() for part in text.split(",") if part.strip()]):
        raise ValueError
    return found


def boolean(name: str, *, default: bool) -> bool:
    return read(name, lambda text: BOOLEANS[text.lower()], "true or false", default=default)


def integer(name: str, *, default: int, minimum: int = 1) -> int:
    return read(name, int, f"a whole number from {minimum}", lambda number: number >= minimum, default)


def seconds(name: str, *, default: float) -> float:
    return read(name, float, "a number of seconds from 0", lambda number: 0 <= number < inf, default)


def choice(name: str, *choices: str, default: str) -> str:
    """Read one of the choices, in capital letters or not."""
    spelled = {choice.lower(): choice for choice in choices}
    return read(name, lambda text: spelled[text.lower()], f"one of {', '.join(choices)}", default=default)


def read_file(name: str, default: Path) -> None:
    """Take what is not set from the file that the variable names, or from the default if that exists."""
    path = read(name, Path, "the path of a file", Path.exists, default)
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines() if path.exists() else []
    for number, line in enumerate(lines, start=1):
        # django-environ would quote such a line in a warning and ignore it.
        if "\ufffd" in line or (line and not re.match(r"#|(export )?\w+=", line)):
            should = "NAME=value, or begin with a #, in UTF-8 without a byte order mark"
            raise SystemExit(f"Line {number} of {path} is not right: it should be {should}.")
    environ.Env.read_env(str(path))


def find_misspelled(names: Iterable[str]) -> Mapping[str, str]:
    """Return those of the names that nothing reads, each with the known one that it resembles."""
    resembling = {
        name: get_close_matches(name, NAMES, n=1, cutoff=0.85) for name in names if name not in NAMES
    }
    return {name: found[0] for name, found in sorted(resembling.items()) if found}


# Conversions. They raise what ``read`` expects.


def database(url: str) -> dict[str, Any]:
    """Return Django's settings for a database. In memory, every thread would have one of its own."""
    # The name of a file would end at a "#".
    if not re.fullmatch("(sqlite|postgres(ql)?)://[^#]+", url):
        raise ValueError
    found: dict[str, Any] = environ.Env.db_url_config(url)
    if found["NAME"] in {"", ":memory:"}:
        raise ValueError
    return found


def email(url: str) -> dict[str, Any]:
    """Return Django's settings for sending e-mail."""
    parts = urlsplit(url)
    found: dict[str, Any] = environ.Env.email_url_config(url)
    if parts.scheme.startswith("smtp") is not bool(parts.hostname):
        raise ValueError
    if parts.scheme == "filemail":
        # django-environ drops the first slash: e-mail would land below the working directory.
        found["EMAIL_FILE_PATH"] = parts.path or "/"
    return found


# Checks.


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
        return all(node.hostname and node.port for node in nodes)
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
