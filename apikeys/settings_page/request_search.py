"""The request log as the page's address asks for it: filtered, and cut into pages by a cursor.

Every page costs the same, however many rows the log has and however few of them match. What no index
answers is looked for in at most MAX_SEARCHED rows, and the next page goes on from there.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, Self
from uuid import UUID

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.http import QueryDict
from django.utils import timezone

from apikeys import client_ip, key_text
from apikeys.error_codes import ERROR_CODES
from apikeys.models import ApiKey, LoggedRequest, Outcome
from apikeys.models.request_log import RequestQuerySet, has_outcome
from stores.models import Store
from stores.resources import Resource

PER_PAGE = 50
MAX_SEARCHED = 50_000
ROWS_PER_QUERY = 2_000
MAX_ID = 2**63 - 1
# Of keys that a search finds, the requests of so many are looked for.
MAX_KEYS = 200
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


def parse_moment(text: str, *, is_end: bool) -> datetime:
    """Return a time in ISO 8601, in UTC where it does not say; ``is_end`` makes a day mean its end.

    Raises ValueError and OverflowError for what is none.
    """
    moment = datetime.fromisoformat(text.replace(" ", "T", 1))
    moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    return moment + timedelta(days=1) if is_end and len(text) == len("2026-11-25") else moment


class MomentInput(forms.DateTimeInput):
    """A field for a time, which also shows one that an address has in another form."""

    input_type = "datetime-local"

    def __init__(self, *, is_end: bool) -> None:
        super().__init__()
        self.is_end = is_end

    def format_value(self, value: Any) -> str:
        try:
            moment = parse_moment(str(value or "").strip(), is_end=self.is_end)
        except (ValueError, OverflowError):
            return ""
        return f"{moment:%Y-%m-%dT%H:%M:%S}" if moment.second else f"{moment:%Y-%m-%dT%H:%M}"


class MomentField(forms.Field):
    """A day or a time; see ``parse_moment``."""

    def __init__(self, *, label: str, is_end: bool = False) -> None:
        super().__init__(required=False, label=label, widget=MomentInput(is_end=is_end))
        self.is_end = is_end

    def to_python(self, value: str | None) -> datetime | None:
        text = (value or "").strip()
        if not text:
            return None
        try:
            return parse_moment(text, is_end=self.is_end)
        except (ValueError, OverflowError) as error:
            raise ValidationError(f"“{text[:30]}” is not a date such as 2026-11-25.") from error


class AddressField(forms.CharField):
    def clean(self, value: Any) -> str:
        text: str = super().clean(value)
        if not text:
            return ""
        address = client_ip.parse(text)
        if address is None:
            raise ValidationError(f"“{text}” is not an IP address.")
        return str(address)


class StatusField(forms.RegexField):
    """A status code such as ``404``, or all that begin alike, such as ``4xx``."""

    def __init__(self) -> None:
        message = "A status is a number such as 404, or all of a kind such as 4xx."
        super().__init__(
            "^[1-5](?:[0-9]{2}|xx)$",
            required=False,
            label="Status",
            max_length=3,
            widget=forms.TextInput({"placeholder": "404 or 4xx"}),
            error_messages={"invalid": message, "max_length": message},
        )

    def to_python(self, value: str | None) -> str:
        return (super().to_python(value) or "").lower()


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
        self.fields["from"] = MomentField(label="From (UTC)")
        self.fields["to"] = MomentField(label="To (UTC)", is_end=True)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        start, end = cleaned.get("from"), cleaned.get("to")
        if start and end and end <= start:
            self.add_error("to", "“To” has to be later than “From”.")
        return cleaned

    @property
    def query(self) -> dict[str, str]:
        """Return what an address needs to ask for the same."""
        return {name: value for name in self.fields if (value := self.data.get(name, "").strip())}

    @property
    def more(self) -> list[str]:
        """The labels of the chosen filters that are not always in sight."""
        return [str(self[name].label) for name in self.query if name not in {"q", "outcome", "range"}]

    @property
    def start(self) -> datetime | None:
        """When the period begins: the later of the two where a range and a time are asked for."""
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


class RequestFilters(PeriodFilters):
    q = forms.CharField(
        label="Find",
        required=False,
        max_length=100,
        widget=forms.TextInput(
            {"type": "search", "placeholder": "Request id, prefix or path", "data-takes-key": ""}
        ),
    )
    outcome = forms.ChoiceField(required=False, choices=[("", "All"), *Outcome.choices])
    key = forms.CharField(
        required=False,
        max_length=100,
        widget=forms.TextInput(
            {"type": "search", "placeholder": "Name, prefix or note", "data-takes-key": ""}
        ),
    )
    reason = forms.ChoiceField(
        required=False,
        choices=[
            ("", "Any"),
            *((code, error.for_owner) for code, error in ERROR_CODES.items() if error.for_owner),
        ],
    )
    status = StatusField()
    resource = forms.ChoiceField(required=False, choices=[("", "Any"), *Resource.choices])
    method = forms.ChoiceField(required=False, choices=[("", "Any"), *((one, one) for one in METHODS)])
    address = AddressField(required=False, max_length=50)


@dataclass(frozen=True, slots=True)
class Cursor:
    """The row that a page begins after, in an address: microseconds since 1970 and the row's id."""

    at: datetime
    pk: int

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Return the cursor, or None for a text that is none: the first page."""
        microseconds, _, pk = text.partition("-")
        if not (text.isascii() and microseconds.isdigit() and pk.isdigit() and len(text) < 40):
            return None
        try:
            at = datetime.fromtimestamp(0, UTC) + timedelta(microseconds=int(microseconds))
        except OverflowError:
            return None
        return cls(at, min(int(pk), MAX_ID))

    def __str__(self) -> str:
        return f"{(self.at - datetime.fromtimestamp(0, UTC)) // timedelta(microseconds=1)}-{self.pk}"


@dataclass(frozen=True, slots=True)
class RequestPage:
    """``searched_to`` is how far back was looked, where older requests may match as well."""

    rows: list[LoggedRequest]
    next: Cursor | None = None
    searched_to: datetime | None = None


class RequestSearch:
    """A question to a store's log: rows that an index finds, and a condition on them."""

    def __init__(self, store: Store, filters: RequestFilters) -> None:
        wanted = filters.cleaned_data
        request_id, prefix, path = read_search(wanted["q"])
        self.start, self.end = filters.start, wanted["to"]
        self.keys = keys = keys_looked_for(store, wanted["key"], prefix)
        key = keys[0] if keys and len(keys) == 1 else None
        rows = LoggedRequest.objects.for_key(key.pk) if key else LoggedRequest.objects.for_store(store)
        if request_id:
            rows = rows.with_request_id(request_id)
        if wanted["reason"] or wanted["outcome"] in {Outcome.REFUSED, Outcome.FAILED}:
            rows = rows.with_error()
        if key and wanted["reason"]:
            rows = rows.filter(reason=wanted["reason"])
        equal = {name: wanted[name] for name in ("method", "resource", "address", "reason") if wanted[name]}
        self.condition = Q(**equal)
        if status := wanted["status"]:
            first = int(status.replace("x", "0"))
            self.condition &= Q(status__range=(first, first + 99 if "x" in status else first))
        if path:
            self.condition &= Q(path__contains=path)
        if keys is not None and key is None:
            named = key_text.find_prefix(wanted["key"]) or wanted["key"] or prefix
            self.condition &= Q(key_id__in=[one.pk for one in keys]) | Q(prefix=named)
        if wanted["outcome"]:
            self.condition &= has_outcome(wanted["outcome"])
        self.rows: RequestQuerySet = filters.within(rows)

    def page(self, cursor: Cursor | None = None, *, size: int = PER_PAGE) -> RequestPage:
        """Return the newest rows, or those after the cursor."""
        rows = self.rows.newest_first()
        if cursor:
            rows = rows.before(cursor.at, cursor.pk)
        searched_to = None
        if self.condition:
            searched_to = rows.values_list("at", flat=True)[MAX_SEARCHED : MAX_SEARCHED + 1].first()
            if searched_to:
                rows = rows.filter(at__gte=searched_to)
        found = list(rows.filter(self.condition)[: size + 1])
        if len(found) > size:
            return RequestPage(found[:size], Cursor(found[size - 1].at, found[size - 1].pk))
        if searched_to:
            return RequestPage(found, Cursor(searched_to, 0), searched_to)
        return RequestPage(found)

    def all_rows(self, *, at_most: int, size: int = ROWS_PER_QUERY) -> Iterator[LoggedRequest]:
        """Yield all rows a few at a time, so that they take no memory and no long transaction."""
        cursor: Cursor | None = None
        while at_most > 0:
            page = self.page(cursor, size=min(size, at_most))
            yield from page.rows
            at_most -= len(page.rows)
            cursor = page.next
            if cursor is None:
                return


def keys_looked_for(store: Store, text: str, prefix: str) -> list[ApiKey] | None:
    """Return the keys that one of the two searches finds; None where neither is for a key."""
    keys = ApiKey.objects.for_store(store)
    if text:
        return list(keys.search(text)[:MAX_KEYS])
    return list(keys.filter(prefix=prefix)) if prefix else None


def read_search(text: str) -> tuple[UUID | None, str, str]:
    """Return the request id, the key's prefix or the part of a path that somebody looks for."""
    try:
        return UUID(text), "", ""
    except ValueError:
        prefix = key_text.find_prefix(text)
        return None, prefix or "", "" if prefix else text
