"""The base of an operator's commands: find_keys, revoke_keys, suspend_keys and resume_keys.

Also what may be typed, and tables as they are printed. Commands of the whole site, such as daily and doctor,
are in ``reflow.management``.
"""

import codecs
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import OperationalError

from apikeys import key_text
from apikeys.actors import Actor
from apikeys.models import ApiKey
from stores.models import Store


class OperatorCommand(BaseCommand):
    """End with status 0 when it did what it was asked to, else with another and one line that says why."""

    def execute(self, *args: Any, **options: Any) -> str | None:
        try:
            return super().execute(*args, **options)
        except OperationalError as error:
            reason = " ".join(str(error).split())
            raise CommandError(f"The database cannot be used: {reason}") from error
        except BrokenPipeError:  # as behind `| head`: whoever read has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return None

    def print_table(self, *rows: Iterable[object]) -> None:
        """Print columns as wide as their widest cell. The first row is the head."""
        cells = [[printable(cell) for cell in row] for row in rows]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        for row in cells:
            self.stdout.write("  ".join(map(str.ljust, row, widths)).rstrip())


# What is typed.


def add_store(parser: CommandParser) -> None:
    parser.add_argument("store", help="the store's number, such as 267418190")


def add_file(parser: CommandParser) -> None:
    parser.add_argument("file", nargs="?", default="-", help="any text: a path, or - for standard input")


def add_by(parser: CommandParser) -> None:
    parser.add_argument("--by", metavar="EMAIL", help="the operator to name in the audit log")


# What it stands for. Each raises CommandError where it stands for nothing.


def store_of(number: str) -> Store:
    refuse_secret(number)
    found = Store.objects.filter(pk=number).first() if number.isdecimal() else None
    if found is None:
        raise CommandError(f"There is no store {number}.")
    return found


def key_of(text: str) -> ApiKey:
    refuse_secret(text)
    prefix = key_text.find_prefix(text)
    if prefix is None:
        raise CommandError(f"{text} is no prefix: that is seven characters, each of 0 to 9 and a to f.")
    found = ApiKey.objects.select_related("store").filter(prefix=prefix).first()
    if found is None:
        raise CommandError(f"There is no key with the prefix {prefix}.")
    return found


def operator(email: str | None) -> Actor:
    """Return the member of staff who acts; no person where nobody is named. Raises CommandError."""
    if email is None:
        return Actor()
    refuse_secret(email)
    staff = User.objects.filter(email=email.strip().lower(), is_staff=True, is_active=True)
    if len(staff) != 1:
        raise CommandError(f"There is no operator {email}.")
    return Actor(staff[0])


def text_of(file: str) -> str:
    """Return what is in a file, or on standard input, whatever bytes it may hold."""
    refuse_secret(file)
    try:
        if file != "-":
            return decode(Path(file).read_bytes())
        if sys.stdin.isatty():
            sys.stderr.write("Paste the text, then press Ctrl-D on a line of its own.\n")
        return decode(sys.stdin.buffer.read())
    except OSError as error:
        raise CommandError(
            f"{file} cannot be read: {error.strerror}. What your shell may read can be sent with < {file}"
        ) from error


def decode(content: bytes) -> str:
    """Return a file as text: UTF-16 where it begins with the mark, as PowerShell writes it, else UTF-8."""
    is_utf_16 = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return content.decode("utf-16" if is_utf_16 else "utf-8", errors="replace")


def refuse_secret(typed: str) -> None:
    """Raise CommandError for a key: everybody on the machine sees a command line, and the shell keeps it."""
    if key_text.hide_secrets(typed) != typed:
        raise CommandError(
            "There is a key on the command line, where others can read it: treat it as leaked. Only its "
            "prefix belongs there; a text with keys in it goes into standard input."
        )


# What comes out.


def printable(cell: object) -> str:
    """Return a cell in which nothing moves the cursor or turns the text round, as a name can."""
    return "".join(character if character.isprintable() else "?" for character in str(cell))
