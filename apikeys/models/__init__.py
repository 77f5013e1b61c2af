"""Keys, what they did, and what was done to them."""

from apikeys.models.key import ApiKey, StaleKey
from apikeys.models.suspension import StoreSuspended, Suspension
from apikeys.models.usage import ApiKeyUsage, LastUse, StoreUsage, UsageWriter

__all__ = [
    "ApiKey",
    "ApiKeyUsage",
    "LastUse",
    "StaleKey",
    "StoreSuspended",
    "StoreUsage",
    "Suspension",
    "UsageWriter",
]
