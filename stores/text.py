"""Texts from outside: how long they may be, how they are kept, and when two are the same to a person.

The order is the same everywhere: a text is refused when it is longer than its column, then normalised, then
measured again, since composed characters (NFC) can be longer. Whether it holds an API key is asked last, by
``apikeys.validators``. Each step takes time in proportion to the text.
"""

import re
import unicodedata
from collections.abc import Iterator
from html import escape
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models

MAX_NAME_LENGTH = 100
# A character can have 18 others in its compatibility form (U+FDFA).
MAX_COMPARABLE_LENGTH = 400
# Of combining marks on one character: normalising more takes time that grows with their square. No script
# has as many (UAX #15, Stream-Safe Text Format).
MAX_MARKS = 30

# Joiners and variation selectors: parts of emoji and of Persian words, but invisible by themselves.
_JOINERS = re.compile("[\u200c\u200d\ufe00-\ufe0f]")
# Letters and symbols that are drawn as nothing, which their category does not tell.
_BLANKS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0")
_INVISIBLE_CATEGORIES = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})


def clean_text(text: str, *, max_length: int) -> str:
    r"""Return the text as it is kept: composed (NFC), its lines ended by ``\n``, no spaces at its ends.

    ``max_length`` counts characters, before and after. Raises ValidationError, with the code ``max_length``.
    """
    # Browsers send a line break as two characters, and count one.
    text = text.replace("\r\n", "\n")
    _check_length(text, max_length)
    text = unicodedata.normalize("NFC", text).strip()
    _check_length(text, max_length)
    return text


def clean_name(text: str, *, max_length: int = MAX_NAME_LENGTH) -> str:
    """Return the name as it is kept: composed (NFC), with single spaces.

    A name is shown in lists, sentences and e-mail subjects, typed to confirm a deletion, and must be told
    apart from its neighbours by eye. Raises ValidationError for a name that is too long, for one with a
    character that cannot be seen, such as U+200B or a control character, and for one that has nothing else.
    """
    name = " ".join(clean_text(text, max_length=max_length).split())
    if any(map(_is_invisible, _JOINERS.sub("", name))):
        raise ValidationError("The name has an invisible character in it. Type it again.", code="invisible")
    folded = comparable(name)
    if name and not folded:
        raise ValidationError("The name has no visible character in it.", code="invisible")
    # Only ligatures of whole words come so far.
    _check_length(folded, MAX_COMPARABLE_LENGTH)
    return name


def comparable(text: str) -> str:
    """Return what two texts share when a person would take one for the other: also what searches compare.

    Case, compatibility forms (such as full-width letters), how accents are composed and what cannot be seen
    do not tell texts apart.
    """
    if text.isascii() and text.isprintable():  # as most are: nothing of it is composed or invisible
        return " ".join(text.lower().split())
    folded = unicodedata.normalize("NFKC", visible_part(text)).casefold()
    return " ".join(unicodedata.normalize("NFKC", folded).split())


def visible_part(text: str) -> str:
    """Return what a person sees of a text, with single spaces: what they can type to confirm a name."""
    composed = _JOINERS.sub("", unicodedata.normalize("NFC", "".join(_limit_marks(text))))
    seen = (character for character in composed if character.isspace() or not _is_invisible(character))
    return " ".join("".join(seen).split())


def to_html(text: str) -> str:
    """Return plain text as HTML, escaped: a blank line begins a paragraph, other lines are broken.

    As Django's ``linebreaks()``, which looks for translations in all that it is given: four times the work.
    """
    escaped = escape(text).replace("\r\n", "\n").replace("\r", "\n")
    paragraphs = [each.replace("\n", "<br>") for each in re.split("\n{2,}", escaped)]
    return "\n\n".join(f"<p>{each}</p>" for each in paragraphs)


class ComparableNameField(models.CharField):  # type: ignore[type-arg]  # not generic at run time
    """A column that holds the comparable form of its row's ``name``, for unique constraints."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        length = MAX_COMPARABLE_LENGTH
        super().__init__(*args, **{"editable": False, "max_length": length, "db_default": "", **kwargs})

    def pre_save(self, model_instance: models.Model, add: bool) -> str:  # noqa: FBT001  # Django's signature
        value = comparable(model_instance.name)  # type: ignore[attr-defined]
        setattr(model_instance, self.attname, value)
        return value


def _check_length(text: str, max_length: int) -> None:
    if len(text) > max_length:
        raise ValidationError(
            f"This is too long: enter at most {max_length:,} characters.", code="max_length"
        )


def _limit_marks(text: str) -> Iterator[str]:
    """Yield the characters, of each run of combining marks the first MAX_MARKS."""
    marks = 0
    for character in text:
        marks = marks + 1 if unicodedata.combining(character) else 0
        if marks <= MAX_MARKS:
            yield character


def _is_invisible(character: str) -> bool:
    return unicodedata.category(character) in _INVISIBLE_CATEGORIES or character in _BLANKS
