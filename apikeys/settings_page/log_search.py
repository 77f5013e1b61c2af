"""A log as the page's address asks for it: filtered, and cut into pages by a cursor.

Every page costs the same, however many rows the log has and however few of them match. What no index
answers is looked for in at most MAX_SEARCHED rows, and the next page goes on from there.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, ClassVar

from django import forms
from django.core import signing
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db.models import Q, QuerySet
from django.forms import BoundField
from django.http import QueryDict
from django.utils import timezone

from stores.models import Store

PER_PAGE = 50
MAX_SEARCHED = 50_000
ROWS_PER_QUERY = 2_000
CURSOR = "apikeys.log_cursor"
# A time beyond these, with an offset from UTC, may be none in UTC.
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
LATEST = datetime(9000, 1, 1, tzinfo=UTC)

AddressField = partial(
    forms.GenericIPAddressField,
    required=False,
    label="Address",
    unpack_ipv4=True,
    error_messages=dict.fromkeys(("invalid", "max_length"), "This is not an IP address."),
)


def search_field(label: str, placeholder: str) -> forms.CharField:
    """Return a box to search in, where a script cuts a pasted key to its prefix."""
    widget = forms.TextInput({"type": "search", "placeholder": placeholder, "data-takes-key": ""})
    return forms.CharField(label=label, required=False, max_length=100, widget=widget)


class PeriodFilters(forms.Form):
    """From when to when. What is wrong is said, and nothing is found."""

    RANGES: ClassVar = {
        "1h": ("Last hour", timedelta(hours=1)),
        "24h": ("24 hours", timedelta(days=1)),
        "7d": ("7 days", timedelta(days=7)),
    }

    range = forms.ChoiceField(
        required=False, choices=[("", "All"), *((value, label) for value, (label, _) in RANGES.items())]
    )

    def __init__(self, data: QueryDict) -> None:
        super().__init__(data, auto_id="filter-%s", label_suffix="")
        # Their names are words of Python.
        for name in ("from", "to"):
            self.fields[name] = forms.DateTimeField(
                required=False,
                label=f"{name.capitalize()} (UTC)",
                widget=forms.DateTimeInput({"type": "datetime-local"}),
                validators=[MinValueValidator(EARLIEST), MaxValueValidator(LATEST)],
                error_messages=dict.fromkeys(
                    ("invalid", "min_value", "max_value"), "This is not a date such as 2026-11-25."
                ),
            )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        start, end = cleaned.get("from"), cleaned.get("to")
        if end and len(self.data["to"].strip()) == len("2026-11-25"):
            # Written by hand: that day is meant to be in it.
            end = cleaned["to"] = end + timedelta(days=1)
        if start and end and end <= start:
            self.add_error("to", "“To” has to be later than “From”.")
        return cleaned

    @property
    def start(self) -> datetime | None:
        """The beginning of the period: the later of the two where a range and a time are asked for."""
        chosen = self.RANGES.get(self.cleaned_data["range"])
        starts = [timezone.now() - chosen[1] if chosen else None, self.cleaned_data["from"]]
        return max(filter(None, starts), default=None)

    def within(self, rows: Any) -> Any:
        """Leave out what lies before or after the period."""
        if start := self.start:
            rows = rows.filter(at__gte=start)
        if end := self.cleaned_data["to"]:
            rows = rows.filter(at__lt=end)
        return rows


class IncidentFilters(PeriodFilters):
    """Of which time and address an incident's sheet is; blank for all."""

    address = AddressField()


def make_cursor(at: datetime, pk: int) -> str:
    """Return the place of a row, as the address of the page after it has it; signed, so that it is ours."""
    return signing.dumps([at.isoformat(), pk], salt=CURSOR)


def parse_cursor(text: str) -> tuple[datetime, int] | None:
    """Return the time and id of the row that a page begins after; None for any other text: the first page."""
    try:
        at, pk = signing.loads(text, salt=CURSOR)
    except signing.BadSignature:
        return None
    return datetime.fromisoformat(at), pk


@dataclass(frozen=True, slots=True)
class LogPage:
    """Rows, and the cursor of the next page, if there is one.

    ``searched_to`` is how far back was looked, where older rows may match as well.
    """

    rows: list[Any]
    next: str = ""
    searched_to: datetime | None = None


@dataclass(frozen=True, slots=True)
class LogSearch:
    """A question to a log: rows that an index finds, the newest first, and a condition on them."""

    rows: QuerySet[Any]
    condition: Q = field(default_factory=Q)

    def page(self, cursor: str = "", *, size: int = PER_PAGE) -> LogPage:
        """Return the newest rows, or those after the cursor."""
        rows = self.rows
        if place := parse_cursor(cursor):
            at, pk = place
            # The first condition repeats part of the second in a form that an index can begin at.
            rows = rows.filter(at__lte=at).exclude(at=at, pk__gte=pk)
        searched_to = None
        if self.condition:
            searched_to = rows.values_list("at", flat=True)[MAX_SEARCHED : MAX_SEARCHED + 1].first()
            if searched_to:
                rows = rows.filter(at__gte=searched_to)
        found = list(rows.filter(self.condition)[: size + 1])
        if len(found) > size:
            return LogPage(found[:size], make_cursor(found[size - 1].at, found[size - 1].pk))
        if searched_to:
            return LogPage(found, make_cursor(searched_to, 0), searched_to)
        return LogPage(found)

    def all_rows(self, *, at_most: int, size: int = ROWS_PER_QUERY) -> Iterator[Any]:
        """Yield all rows a few at a time, so that they take no memory and no long transaction."""
        cursor = ""
        while at_most > 0:
            page = self.page(cursor, size=min(size, at_most))
            yield from page.rows
            at_most -= len(page.rows)
            cursor = page.next
            if not cursor:
                return


class LogFilters(PeriodFilters):
    """The filters of a log, of which ``q`` and those in PILLS are always in sight."""

    PILLS: ClassVar = ("outcome", "range")

    @property
    def query(self) -> dict[str, str]:
        """Return what an address needs to ask for the same."""
        return {name: value for name in self.fields if (value := self.data.get(name, "").strip())}

    @property
    def others(self) -> list[BoundField]:
        """The filters that are not always in sight."""
        return [field for field in self if field.name not in {"q", *self.PILLS}]

    @property
    def more(self) -> list[str]:
        """The labels of those that are chosen."""
        return [str(field.label) for field in self.others if field.name in self.query]

    def page(self, store: Store, cursor: str) -> LogPage:
        """Return a page of what the filters find in the store's log; nothing where one of them is wrong."""
        return self.search(store).page(cursor) if self.is_valid() else LogPage([])

    def search(self, store: Store) -> LogSearch:
        """Return the question to the store's log. The filters are valid."""
        raise NotImplementedError
