"""The resources that a key may have access to, and the scopes that grant it.

A scope is a resource and an access joined by a colon, such as ``orders:read``. The permission, the settings
page, the admin and the documentation all take the resources from here.
"""

from collections.abc import Iterable
from typing import Self

from django.db import models


class Access(models.TextChoices):
    READ = "read", "Read"
    WRITE = "write", "Write"

    @classmethod
    def for_method(cls, method: str) -> Self:
        """Return the access that an HTTP method needs: read for the safe methods of RFC 9110, else write."""
        return cls("read" if method in {"GET", "HEAD", "OPTIONS"} else "write")


class Resource(models.TextChoices):
    PRODUCTS = "products", "Products"
    CATEGORIES = "categories", "Categories"
    ORDERS = "orders", "Orders"
    CUSTOMERS = "customers", "Customers"
    COUPONS = "coupons", "Coupons"
    API_KEYS = "api_keys", "API keys"

    @property
    def exposes(self) -> str:
        """A line for store owners about what somebody with this resource gets to see."""
        return _EXPOSES[self]

    @property
    def path(self) -> str:
        """The part of an address that stands for it, such as ``api-keys``."""
        return self.value.replace("_", "-")

    @property
    def is_public(self) -> bool:
        """Whether a storefront may read it without a key."""
        return self in {Resource.PRODUCTS, Resource.CATEGORIES}

    def scope(self, access: Access) -> str:
        """Return the scope for this resource, such as ``orders:read``."""
        return f"{self.value}:{access.value}"


_EXPOSES = {
    Resource.PRODUCTS: "names, prices, variants, stock",
    Resource.CATEGORIES: "the tree your products are sorted into",
    Resource.ORDERS: "names, addresses, what was bought and paid",
    Resource.CUSTOMERS: "emails, phone numbers, addresses",
    Resource.COUPONS: "codes, discounts, how often each was used",
    Resource.API_KEYS: "your other API keys: see, create, roll, switch off",
}

SCOPES: tuple[str, ...] = tuple(resource.scope(access) for resource in Resource for access in Access)

# What keys reach that manage other keys. It is in no preset, and no key gives it to another.
MANAGING_SCOPES = frozenset(Resource.API_KEYS.scope(access) for access in Access)


def with_implied(scopes: Iterable[str]) -> list[str]:
    """Return the scopes and those they imply, as write implies read, each once, in the order of ``SCOPES``.

    Raises ValueError naming every scope that does not exist.
    """
    named = set(scopes)
    if unknown := sorted(named - set(SCOPES)):
        raise ValueError(f"Unknown access: {', '.join(unknown)}.")
    implied = {scope.replace(":write", ":read") for scope in named}
    return [scope for scope in SCOPES if scope in named | implied]
