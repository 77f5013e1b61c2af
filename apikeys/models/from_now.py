"""The present in a query, so that one which is put together once can be asked at any time."""

from datetime import timedelta
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import DateField, DateTimeField, Expression
from django.utils import timezone


class FromNow(Expression):
    """The time at which the query is asked, or so long before or after it; its date for a DateField."""

    def __init__(
        self, distance: timedelta = timedelta(), output_field: DateField[Any, Any] | None = None
    ) -> None:
        super().__init__(output_field=output_field or DateTimeField())
        self.distance = distance

    def as_sql(self, compiler: Any, connection: BaseDatabaseWrapper) -> tuple[str, tuple[Any, ...]]:
        at = self.output_field.get_db_prep_value(timezone.now() + self.distance, connection)
        return "%s", (at,)
