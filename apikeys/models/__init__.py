"""Keys, what they did, and what was done to them."""

from apikeys.events import Event, Notice
from apikeys.models.audit import AuditEntry
from apikeys.models.email import Email
from apikeys.models.kept_answer import KeptAnswer
from apikeys.models.key import ApiKey, ApiKeyQuerySet
from apikeys.models.notification import KnownNetwork, NotificationSettings, Reminder
from apikeys.models.refusals import Refusal
from apikeys.models.request_log import LoggedRequest
from apikeys.models.suspension import Suspension
from apikeys.models.trust import IssuerKeys, TokenExchange, Trust
from apikeys.models.usage import HourlyUsage, LastUse, Outcome, StoreUsage, Usage, UsageWriter
