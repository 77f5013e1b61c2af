"""Columns that hold what others of their row say, folded: for searches, orders and unique constraints.

A database folds, compares and sorts text as its own settings say, and SQLite folds ASCII alone. What is
folded here and compared by its bytes is the same on every database.
"""

import unicodedata
from typing import Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

from stores.text import comparable


class FoldedField(models.TextField):  # type: ignore[type-arg]  # not generic at run time
    """The ``comparable()`` texts of the columns named in ``sources``, a line each, up to ``max_length``.

    It is filled whenever the row is saved; ``QuerySet.update()`` leaves it as it is.
    """

    def __init__(self, *args: Any, sources: tuple[str, ...] = (), **kwargs: Any) -> None:
        super().__init__(*args, **{"editable": False, "db_default": "", **kwargs})
        self.sources = sources

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, {**kwargs, "sources": self.sources}

    def get_internal_type(self) -> str:
        """Return a type of its own: Django would insert many rows as arrays of a known type's name."""
        return "FoldedField"

    def db_type(self, connection: BaseDatabaseWrapper) -> str:
        """Return a type that is compared by its bytes, as SQLite's is."""
        return 'text COLLATE "C"' if connection.vendor == "postgresql" else "text"

    def pre_save(self, model_instance: models.Model, add: bool) -> str:  # noqa: FBT001  # Django's signature
        value = "\n".join(self.fold(str(getattr(model_instance, source))) for source in self.sources)
        value = value[: self.max_length]
        setattr(model_instance, self.attname, value)
        return value

    def fold(self, text: str) -> str:
        return comparable(text)


class SortKeyField(FoldedField):
    """A text to sort by: as above without accents, so that Äpfel stands beside apple."""

    def fold(self, text: str) -> str:
        letters = unicodedata.normalize("NFKD", comparable(text))
        return "".join(letter for letter in letters if not unicodedata.combining(letter))


def is_known(column: str, choices: type[models.TextChoices], **options: Any) -> models.CheckConstraint:
    """Return the constraint that a column holds one of its choices."""
    return models.CheckConstraint(condition=models.Q((f"{column}__in", tuple(choices.values))), **options)
