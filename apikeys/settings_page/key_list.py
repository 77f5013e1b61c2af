"""The list of keys as its address asks for it: found, filtered, sorted, cut into pages, and its rows."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from itertools import accumulate
from typing import Any, ClassVar, NamedTuple, Self
from urllib.parse import urlencode

from django.core.paginator import Page, Paginator
from django.db.models import F
from django.db.models.functions import Lower
from django.http import QueryDict
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import escape, format_html

from apikeys import key_text
from apikeys.formats import duration, grouped, relative_time
from apikeys.models import ApiKey, ApiKeyQuerySet
from apikeys.models.key import grouped_by_state
from apikeys.models.state import BY_NAME, STATES
from apikeys.usage import charts
from apikeys.usage.periods import Period, TimeRange
from stores.models import Store
from stores.resources import Access, Resource

PER_PAGE = 25
# Of the names of resources, so many characters fit into the column.
MAX_CHIP_CHARACTERS = 19
WRITE_ACCESS = ":write"
# The columns that sorts are named after, where they are called otherwise.
ORDER_BY = {
    "created": "created_at",
    "used": "last_use__used_at",
    "expires": "expires_at",
    "creator": "created_by__email",
}


class Filter(NamedTuple):
    value: str
    label: str
    matches: str
    url: str
    is_current: bool


class Head(NamedTuple):
    """The head of a column; ``order`` is that of ``aria-sort`` where the list is sorted by it."""

    label: str
    by: str = ""
    url: str = ""
    order: str = ""


@dataclass(frozen=True)
class Listing:
    """The choice of what to show. Unknown values in an address fall back to the defaults."""

    base: str
    q: str = ""
    status: str = ""
    access: str = ""
    sort: str = "-created"
    range: str = TimeRange.MONTH.value
    page: str = "1"

    SORTS: ClassVar = (
        ("-created", "Newest first"),
        ("created", "Oldest first"),
        ("name", "Name, A to Z"),
        ("-name", "Name, Z to A"),
        ("-requests", "Most requests"),
        ("requests", "Fewest requests"),
        ("-used", "Last used, newest first"),
        ("used", "Last used, oldest first"),
        ("expires", "Expires first"),
        ("-expires", "Expires last"),
        ("creator", "Created by, A to Z"),
        ("-creator", "Created by, Z to A"),
    )
    ACCESSES: ClassVar = (
        (WRITE_ACCESS, "Any write access"),
        *(
            (resource.scope(access), f"{access.label} {resource.label.lower()}")
            for resource in Resource
            for access in Access
        ),
    )
    COLUMNS: ClassVar = (
        ("Name", "name", "name"),
        ("Key", "", ""),
        ("Access", "", ""),
        ("Requests", "requests", "-requests"),
        ("Last used", "used", "-used"),
        ("Expires", "expires", "expires"),
        ("Created by", "creator", "creator"),
        ("Status", "", ""),
    )

    @classmethod
    def from_query(cls, store: Store, query: QueryDict) -> Self:
        status, access, sort = (query.get(name, "") for name in ("status", "access", "sort"))
        return cls(
            base=reverse("apikeys:list", args=[store.pk]),
            q=key_text.search_term(query.get("q", "")),
            status=status if status in BY_NAME else "",
            access=access if access in dict(cls.ACCESSES) else "",
            sort=sort if sort in dict(cls.SORTS) else cls.sort,
            range=TimeRange.parse(query.get("range", "")).value,
            page=query.get("page", "1"),
        )

    @property
    def time_range(self) -> TimeRange:
        return TimeRange(self.range)

    @property
    def url(self) -> str:
        """The address of this list, with what differs from the defaults."""
        names = ("q", "status", "access", "sort", "range", "page")
        query = {name: value for name in names if (value := getattr(self, name)) != getattr(Listing, name)}
        return f"{self.base}?{urlencode(query)}" if query else self.base

    def url_of(self, page: int = 1, **changed: str) -> str:
        """Return the address of a page of this list, or of its first one with something changed."""
        return replace(self, page=str(page), **changed).url

    @property
    def query(self) -> str:
        """The part of the address after the question mark."""
        return self.url.partition("?")[2]

    @property
    def heads(self) -> Iterator[Head]:
        for label, by, first in self.COLUMNS:
            if not by:
                yield Head(label)
            elif self.sort.removeprefix("-") == by:
                ascending = self.sort == by
                url = self.url_of(sort=f"-{by}" if ascending else by)
                yield Head(label, by, url, "ascending" if ascending else "descending")
            else:
                yield Head(label, by, self.url_of(sort=first))

    def count_by_state(self, store: Store) -> dict[str, int]:
        """Return how many of the keys that are looked for are in each state, and ``all``."""
        return self._find(grouped_by_state(), store).count_by_state()

    def filters(self, counts: dict[str, int]) -> Iterator[Filter]:
        """Yield the filters that match a key, how many, and the one that is chosen."""
        for value, label in (("", "All"), *((state.name, state.word) for state in STATES)):
            count, is_current = counts[value or "all"], value == self.status
            if count or is_current or not value:
                yield Filter(value, label, grouped(count), self.url_of(status=value), is_current)

    def page_of(self, store: Store, counts: dict[str, int]) -> Page[ApiKey]:
        """Return one page of the store's keys, each with its ``status`` and ``last_use``.

        They have the ``maker_prefix`` of the program's key, or the ``maker_email`` of the person, that made
        them. ``counts`` are those of ``count_by_state()``.
        """
        found = self._find(ApiKey.objects.all(), store)
        if self.status:
            found = found.in_state(self.status)
        makers = {"maker_prefix": F("made_by__prefix"), "maker_email": F("created_by__email")}
        keys = self._sorted(found).with_status(counts).annotate(**makers)
        paginator = Paginator(keys, PER_PAGE)
        paginator.count = counts[self.status or "all"]
        return paginator.get_page(self.page)

    def page_links(self, page: Page[ApiKey]) -> dict[str, Any]:
        """Return the addresses of the pages around this one, blank where there is none.

        ``numbers`` are pairs of a number, or an ellipsis between two, and an address.
        """
        numbers = page.paginator.get_elided_page_range(page.number, on_each_side=1, on_ends=1)
        return {
            "previous": self.url_of(page.number - 1) if page.has_previous() else "",
            "numbers": [(n, self.url_of(n) if isinstance(n, int) else "") for n in numbers],
            "next": self.url_of(page.number + 1) if page.has_next() else "",
        }

    def _find(self, keys: ApiKeyQuerySet, store: Store) -> ApiKeyQuerySet:
        found = keys.for_store(store).kept()
        if self.status != "replaced":
            # A key that renews itself leaves one behind each time.
            found = found.exclude(replaced_at__isnull=False, reused_at=None)
        if self.q:
            found = found.search(self.q)
        return found.granting(self.access) if self.access else found

    def _sorted(self, found: ApiKeyQuerySet) -> ApiKeyQuerySet:
        by, descending = self.sort.removeprefix("-"), self.sort.startswith("-")
        if by == "requests":
            found = found.with_requests()
        if by == "name":
            found, by = found.annotate(folded_name=Lower("name")), "folded_name"
        column = F(ORDER_BY.get(by, by))
        if by == "expires":
            # A key without an expiry ends after all others.
            order = column.desc(nulls_first=True) if descending else column.asc(nulls_last=True)
        else:
            order = column.desc(nulls_last=True) if descending else column.asc(nulls_first=True)
        return found.order_by(order, "-created_at", "-pk")


def list_address(request: Any, store: Store) -> str:
    """Return the address of the list, as it was filtered where a dialog was opened over it."""
    whole, query = reverse("apikeys:list", args=[store.pk]), ""
    if is_over_list(request, store):
        query = request.htmx.current_url_abs_path.partition("?")[2]
    # Without scripts the form brings it along.
    query = query or request.POST.get("list", "") or request.GET.get("list", "")
    return f"{whole}?{query}" if query else whole


def is_over_list(request: Any, store: Store) -> bool:
    """Whether a dialog was opened over the list, not over the page of a key."""
    opened_over = (request.htmx.current_url_abs_path or "").partition("?")[0]
    return bool(opened_over == reverse("apikeys:list", args=[store.pk]))


def row(key: Any, period: Period, base: str, now: datetime) -> dict[str, Any]:
    """Return the row of a key of ``page_of()``, as a dict: a template looks there first.

    ``name``, ``prefix``, ``url`` and ``creator`` stand in several places, and are escaped once. ``chips`` are
    pairs of a resource and whether it is written; ``more`` do not fit. ``tried_at`` is None where it is the
    same as ``used_at``. ``menu`` holds what can be done to the key.
    """
    name, url = escape(key.name), escape(f"{base}{key.prefix}/")
    menu = menu_template(tuple(possible_actions(key)), is_suspended=key.suspended_at is not None)
    chips = [(str(resource.label), access is Access.WRITE) for resource, access in key.highest_access]
    shown = count_fitting(chips)
    used_at, tried_at = key.last_used_at, key.last_tried_at
    return {
        "name": name,
        "prefix": escape(key.prefix),
        "url": url,
        "is_old": key.superseded_at is not None,
        "is_never_shown": key.revealed_at is None,
        "chips": chips[:shown],
        "more": [f"{label} write" if is_write else label for label, is_write in chips[shown:]],
        "requests": grouped(period.total),
        "refused": grouped(period.refused) if period.refused else "",
        "spark": charts.sparkline(period) if period.total else None,
        "used_at": used_at,
        "tried_at": tried_at if tried_at != used_at else None,
        "expires_at": key.expires_at,
        "is_expired": key.is_expired(now),
        "creator": escape(f"API key {key.maker_prefix}" if key.maker_prefix else key.maker_email or "–"),
        "tone": key.state.tone,
        "state": describe_state(key, now),
        "menu": format_html(menu, name=name, url=url, copy_url=f"{base}new/?from={key.prefix}"),
    }


@cache  # most rows have the same
def menu_template(actions: tuple[str, ...], *, is_suspended: bool) -> str:
    """Return the menu of rows that offer these actions; ``format_html()`` fills in name and addresses."""
    context = {"actions": actions, "is_suspended": is_suspended}
    return render_to_string("apikeys/includes/key_menu.html", context)


def count_fitting(chips: list[tuple[str, bool]]) -> int:
    """Return how many chips fit into a line, at least one. Where not all do, how many more takes room too."""
    lengths = list(accumulate(len(label) + 6 * is_write for label, is_write in chips))
    room = MAX_CHIP_CHARACTERS if lengths[-1:] <= [MAX_CHIP_CHARACTERS] else MAX_CHIP_CHARACTERS - 4
    return max(1, sum(length <= room for length in lengths))


def possible_actions(key: ApiKey) -> list[str]:
    """Return what can be done to the key now, besides deleting it, as the last part of an address."""
    actions = ["edit"] if key.is_changeable and not key.suspended_at else []
    if key.is_rollable:
        actions.append("roll")
    if key.is_reactivatable:
        actions.append("reactivate")
    elif key.is_deactivatable:
        actions.append("deactivate")
    return actions


def describe_state(key: ApiKey, now: datetime) -> str:
    """Return a key's status in a few words, with the time at which it changes by itself."""
    if key.status == "off" and key.reactivates_at:
        return f"Off for {duration(key.reactivates_at - now)}"
    if key.status in {"expiring", "rolled"} and key.expires_at:
        verb = "Ends" if key.superseded_at else "Expires"
        return f"{verb} {relative_time(key.expires_at, now)}"
    if key.status == "quiet" and key.quiet_since:
        return f"Quiet for {duration(now - key.quiet_since)}"
    if key.status == "failing" and key.quiet_since:
        is_today = key.quiet_since.date() == now.date()
        return f"Fails since {key.quiet_since:{'%H:%M UTC' if is_today else '%-d %b'}}"
    return key.state.word
