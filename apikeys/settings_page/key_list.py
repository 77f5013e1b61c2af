"""The list of keys as its address asks for it: found, filtered, sorted, and cut into pages."""

from dataclasses import dataclass
from typing import Self

from django.core.paginator import Page, Paginator
from django.db.models import F
from django.http import QueryDict

from apikeys import keys
from apikeys.models import ApiKey, ApiKeyQuerySet, Status
from stores.models import Store

PER_PAGE = 25
SORTS = {"created", "name", "used", "requests"}


@dataclass(frozen=True)
class Listing:
    """What to show. Unknown values in an address fall back to the defaults: a link never breaks."""

    q: str = ""
    status: str = ""
    sort: str = "created"
    page: str = "1"

    @classmethod
    def from_query(cls, query: QueryDict) -> Self:
        status, sort = query.get("status", ""), query.get("sort", "")
        return cls(
            q=searchable(query.get("q", "")),
            status=status if status in Status.values else "",
            sort=sort if sort in SORTS else "created",
            page=query.get("page", "1"),
        )

    def page_of(self, store: Store) -> Page[ApiKey]:
        """One page of the store's keys, each with its ``status`` and ``last_use``."""
        found = ApiKey.objects.for_store(store)
        if self.q:
            found = found.search(self.q)
        found = found.in_status(self.status) if self.status else found.with_status()
        return Paginator(self._sorted(found).select_related("last_use"), PER_PAGE).get_page(self.page)

    def _sorted(self, found: ApiKeyQuerySet) -> ApiKeyQuerySet:
        if self.sort == "requests":
            return found.busiest_first()
        if self.sort == "used":
            return found.order_by(F("last_use__at").desc(nulls_last=True), "-created_at", "-pk")
        return found.order_by("name", "pk") if self.sort == "name" else found.order_by("-created_at", "-pk")


def searchable(text: str) -> str:
    """What to look for: of a pasted key only the prefix, so that no secret gets into an address."""
    text = text.replace("\0", "").strip()[:100]
    return keys.find_prefix(text) or text
