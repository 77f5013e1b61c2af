"""Keys, what they did, and what was done to them."""

from apikeys.models.audit import AuditEntry, Event
from apikeys.models.key import ApiKey, ApiKeyQuerySet
from apikeys.models.outcomes import Outcome, Status
from apikeys.models.suspension import Suspension
from apikeys.models.usage import ApiKeyUsage, LastUse, StoreUsage, UsageWriter

__all__ = [
    "ApiKey",
    "ApiKeyQuerySet",
    "ApiKeyUsage",
    "AuditEntry",
    "Event",
    "LastUse",
    "Outcome",
    "Status",
    "StoreUsage",
    "Suspension",
    "UsageWriter",
]
