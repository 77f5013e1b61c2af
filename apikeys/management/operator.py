"""Arguments of an operator's commands: find_keys, revoke_keys, suspend_keys and resume_keys.

Commands of the whole site, such as daily and doctor, are in ``reflow.management``.
"""

import codecs
import sys
from pathlib import Path

from django.contrib.auth.models import User
from django.core.management.base import CommandError, CommandParser

from apikeys.actors import Actor
from apikeys.key_text import find_prefix, hide_secrets
from apikeys.models import ApiKey
from stores.models import Store

# What is typed.


def add_store(parser: CommandParser) -> None:
    parser.add_argument("store", help="the store's number, such as 267418190")


def add_file(parser: CommandParser) -> None:
    parser.add_argument("file", nargs="?", default="-", help="any text: a path, or - for standard input")


def add_by(parser: CommandParser) -> None:
    parser.add_argument("--by", metavar="EMAIL", help="the operator to name in the audit log")


# What it stands for. Each raises CommandError where it stands for nothing.


def store_of(number: str) -> Store:
    found = Store.objects.filter(pk=number).first() if number.isdecimal() else None
    if found is None:
        raise CommandError(f"There is no store {hide_secrets(number)}.")
    return found


def key_of(text: str) -> ApiKey:
    found = ApiKey.objects.select_related("store").filter(prefix=find_prefix(text)).first()
    if found is None:
        raise CommandError(f"There is no key with the prefix {hide_secrets(text)}.")
    return found


def operator(email: str | None) -> Actor:
    """Return the member of staff who acts; no person where nobody is named. Raises CommandError."""
    if email is None:
        return Actor()
    staff = User.objects.filter(email=email.strip().lower(), is_staff=True, is_active=True)
    if len(staff) != 1:
        raise CommandError(f"There is no operator {hide_secrets(email)}.")
    return Actor(staff[0])


def text_of(file: str) -> str:
    """Return what is in a file, or on standard input, whatever bytes it may hold."""
    try:
        return decode(sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes())
    except OSError as error:
        name = hide_secrets(file)
        raise CommandError(
            f"{name} cannot be read: {error.strerror}. What your shell may read can be sent with < {name}"
        ) from error


def decode(content: bytes) -> str:
    """Return a file as text: UTF-16 where it begins with the mark, as PowerShell writes it, else UTF-8."""
    is_utf_16 = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return content.decode("utf-16" if is_utf_16 else "utf-8", errors="replace")
