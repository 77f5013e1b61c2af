"""Every route of the API and the scope it needs: what is right, whatever the views say."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from stores.resources import Access, Resource

STORE = "/v1/stores/{store_id}/"


class Key(StrEnum):
    """Whether a route needs a key."""

    REQUIRED = "required"  # with the route's scope, if it has one
    OPTIONAL = "optional"  # a key that is sent must have the route's scope
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


def routes_of(
    resource: Resource, *, collection: str, item: str, name: str = "id", actions: str = ""
) -> Iterator[Route]:
    """Yield the routes of a resource, from the methods of its list and those of one of its objects.

    ``name`` is what an object is found by, ``actions`` are what a POST to an address of its own does to it.
    """
    path = f"{STORE}{resource.path}/"
    for method, address in [
        *((method, path) for method in collection.split()),
        *((method, f"{path}{{{name}}}/") for method in item.split()),
        *(("POST", f"{path}{{{name}}}/{action}/") for action in actions.split()),
    ]:
        is_open = resource.is_public and Access.for_method(method) is Access.READ
        yield Route(method, address, Key.OPTIONAL if is_open else Key.REQUIRED, resource)


ROUTES = (
    Route("GET", STORE, Key.OPTIONAL),
    Route("GET", f"{STORE}changes/", Key.REQUIRED),
    *routes_of(Resource.PRODUCTS, collection="GET POST", item="GET PATCH DELETE"),
    *routes_of(Resource.CATEGORIES, collection="GET POST", item="GET PATCH DELETE"),
    *routes_of(Resource.ORDERS, collection="GET", item="GET PATCH"),
    *routes_of(Resource.CUSTOMERS, collection="GET", item="GET PATCH"),
    *routes_of(Resource.COUPONS, collection="GET POST", item="GET PATCH DELETE"),
    *routes_of(
        Resource.API_KEYS,
        collection="GET POST",
        item="GET PATCH DELETE",
        name="prefix",
        actions="roll deactivate reactivate",
    ),
    Route("GET", "/v1/api-key/", Key.REQUIRED),
    Route("POST", "/v1/api-key/roll/", Key.REQUIRED),
    Route("GET", "/v1/api-key/requests/{request_id}/", Key.REQUIRED),
    Route("POST", "/v1/api-keys/revoke/", Key.IGNORED),
    Route("POST", "/v1/token/", Key.IGNORED),
    Route("GET", "/v1/openapi.json", Key.OPTIONAL),
)
