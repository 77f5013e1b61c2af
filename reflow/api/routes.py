"""Who may do what: the one table. The documentation shows it, and a test holds the server to it."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from stores.resources import Access, Resource

STORE = "/v1/stores/{store_id}/"


class Key(StrEnum):
    """What a route makes of a key."""

    REQUIRED = "required"  # and it must have the scope, where there is one
    OPTIONAL = "optional"  # but where there is one, it must be good for this
    IGNORED = "ignored"


@dataclass(frozen=True, slots=True)
class Route:
    method: str
    path: str
    key: Key
    resource: Resource | None = None

    @property
    def scope(self) -> str | None:
        return self.resource.scope(Access.for_method(self.method)) if self.resource else None


def routes_of(resource: Resource, *, all_of_it: str, one: str) -> Iterator[Route]:
    """The routes of a resource: the methods on its list, and those on one of its objects."""
    path = f"{STORE}{resource}/"
    for method, where in [
        *((method, path) for method in all_of_it.split()),
        *((method, f"{path}{{id}}/") for method in one.split()),
    ]:
        is_open = resource.is_public and Access.for_method(method) is Access.READ
        yield Route(method, where, Key.OPTIONAL if is_open else Key.REQUIRED, resource)


ROUTES = (
    Route("GET", STORE, Key.OPTIONAL),
    *routes_of(Resource.PRODUCTS, all_of_it="GET POST", one="GET PATCH DELETE"),
    *routes_of(Resource.CATEGORIES, all_of_it="GET POST", one="GET PATCH DELETE"),
    *routes_of(Resource.ORDERS, all_of_it="GET", one="GET PATCH"),
    *routes_of(Resource.CUSTOMERS, all_of_it="GET", one="GET PATCH"),
    *routes_of(Resource.COUPONS, all_of_it="GET POST", one="GET PATCH DELETE"),
    Route("GET", "/v1/api-key/", Key.REQUIRED),
    Route("POST", "/v1/api-keys/revoke/", Key.IGNORED),
    Route("GET", "/v1/openapi.json", Key.OPTIONAL),
)
