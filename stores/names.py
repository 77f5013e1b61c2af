"""What a name is: one rule for everything that people name, the same on every database.

A name is shown in lists, sentences and e-mail subjects, typed to confirm a deletion, and must be told apart
from its neighbours by eye.
"""

import re
import unicodedata
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models

# Joiners and variation selectors: parts of emoji and of Persian words, but invisible by themselves.
_JOINERS = re.compile("[\u200c\u200d\ufe00-\ufe0f]")
# Letters and symbols that are drawn as nothing, which their category does not tell.
_BLANKS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0")
_INVISIBLE_CATEGORIES = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})


def clean_name(text: str) -> str:
    """Return the name as it is kept: composed characters (NFC), single spaces, none at the ends.

    Raises ValidationError for a name with a character that cannot be seen, such as U+200B or a control
    character, and for one that has nothing else.
    """
    name = " ".join(unicodedata.normalize("NFC", text).split())
    if any(map(_is_invisible, _JOINERS.sub("", name))):
        raise ValidationError("The name has an invisible character in it. Type it again.", code="invisible")
    if name and not comparable(name):
        raise ValidationError("The name has no visible character in it.", code="invisible")
    return name


def comparable(name: str) -> str:
    """Return what two names share when a person would take one for the other.

    Case, compatibility forms (such as full-width letters) and what cannot be seen do not tell names apart.
    """
    folded = unicodedata.normalize("NFKC", visible_part(name)).casefold()
    return " ".join(unicodedata.normalize("NFKC", folded).split())


def visible_part(name: str) -> str:
    """Return what a person sees of a name, with single spaces: what they can type to confirm it."""
    composed = _JOINERS.sub("", unicodedata.normalize("NFC", name))
    seen = (character for character in composed if character.isspace() or not _is_invisible(character))
    return " ".join("".join(seen).split())


class ComparableNameField(models.CharField):  # type: ignore[type-arg]  # not generic at run time
    """A column that holds the comparable form of its row's ``name``, for unique constraints."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"editable": False, "max_length": 400, "db_default": "", **kwargs})

    def pre_save(self, model_instance: models.Model, add: bool) -> str:  # noqa: FBT001  # Django's signature
        value = comparable(model_instance.name)  # type: ignore[attr-defined]
        setattr(model_instance, self.attname, value)
        return value


def _is_invisible(character: str) -> bool:
    return unicodedata.category(character) in _INVISIBLE_CATEGORIES or character in _BLANKS
