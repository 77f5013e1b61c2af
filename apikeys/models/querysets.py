"""Questions put to the tables of keys and usage, as filters that chain and read as a sentence."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any

from django.db import IntegrityError, models, transaction
from django.db.models import Case, Exists, OuterRef, Q, Subquery, Sum, Value, When
from django.db.models.functions import Cast
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from apikeys import emails, keys
from apikeys.models import audit
from apikeys.models.outcomes import Outcome, Status
from apikeys.models.suspension import Suspension, holding
from apikeys.models.usage import ApiKeyUsage, first_day
from stores.models import Store
from stores.resources import with_implied

if TYPE_CHECKING:
    from django.contrib.auth.models import User

    from apikeys.models.key import ApiKey

USED_BY_REQUESTS = (
    *("store__name", "store__currency"),
    *("name", "prefix", "digest", "access", "allowed_addresses", "rate_limit", "created_at"),
    *("expires_at", "deactivated_at", "reactivates_at", "suspended_at"),
)
EXPIRES_SOON = timedelta(days=7)
RECENTLY_REFUSED = timedelta(hours=24)


class ApiKeyQuerySet(models.QuerySet["ApiKey"]):
    def for_store(self, store: Store) -> "ApiKeyQuerySet":
        return self.filter(store=store)

    def usable(self) -> "ApiKeyQuerySet":
        """Keys that a request may use now: neither deactivated, nor suspended, nor expired."""
        now = timezone.now()
        return self.exclude(_inactive(now)).exclude(_expired(now))

    def for_requests(self) -> "ApiKeyQuerySet":
        """With its store, and those of its columns that a request asks for; any other costs a query."""
        return self.select_related("store").only(*USED_BY_REQUESTS)

    def holding_name(self, name: str) -> "ApiKeyQuerySet":
        """Keys that keep others from this name; a rolled key has handed its name on."""
        return self.filter(name__iexact=name, superseded_at=None)

    def granting(self, scope: str) -> "ApiKeyQuerySet":
        """Keys that reach a scope. It compares text, which SQLite and PostgreSQL both can."""
        return self.annotate(access_text=Cast("access", models.TextField())).filter(
            access_text__contains=f'"{scope}"'
        )

    def presented_as(self, plaintexts: Iterable[str]) -> "ApiKeyQuerySet":
        """The keys whose whole text is among these; a right prefix before a wrong secret finds none."""
        presented = set(filter(keys.is_well_formed, plaintexts))
        return self.select_related("store").filter(
            prefix__in={text[: keys.PREFIX_LENGTH] for text in presented},
            digest__in=set(map(keys.digest, presented)),
        )

    @sensitive_variables()
    def in_leak(self, text: str) -> "list[tuple[ApiKey, bool]]":
        """The keys that a text gives away or names, each with whether all of it is there.

        Those given away come first.
        """
        whole = {key.pk for some in portions(keys.whole_in(text)) for key in self.presented_as(some)}
        named = [key for some in portions(keys.prefixes_in(text)) for key in self.filter(prefix__in=some)]
        return sorted(((key, key.pk in whole) for key in named), key=lambda found: not found[1])

    def find(self, text: str) -> "ApiKeyQuerySet":
        """Keys whose name holds the text, or whose prefix it is: typed, masked or in a whole key."""
        named = Q(name__icontains=text)
        if prefix := keys.prefix_of(text):
            return self.filter(named | Q(prefix=prefix))
        return self.filter(named | Q(prefix__istartswith=text))

    def with_status(self) -> "ApiKeyQuerySet":
        """Adds ``status``, a value of Status, derived at this moment."""
        now = timezone.now()
        refused = ApiKeyUsage.objects.filter(
            key=OuterRef("pk"),
            date__gte=(now - RECENTLY_REFUSED).date(),
            outcome=Outcome.REFUSED,
            last_at__gt=now - RECENTLY_REFUSED,
        )
        return self.annotate(  # type: ignore[no-redef]  # declared on the model, too
            status=Case(
                When(_inactive(now), then=Value(Status.INACTIVE)),
                When(_expired(now), then=Value(Status.EXPIRED)),
                When(Exists(refused), then=Value(Status.REFUSALS)),
                When(expires_at__lte=now + EXPIRES_SOON, then=Value(Status.EXPIRING)),
                default=Value(Status.ACTIVE),
                output_field=models.CharField(),
            )
        )

    def in_status(self, status: str) -> "ApiKeyQuerySet":
        """Keys that stand like this, a value of Status; adds ``status``."""
        return self.with_status().filter(status=status)  # type: ignore[misc]  # an annotation

    def busiest_first(self) -> "ApiKeyQuerySet":
        """By the requests of the last 30 days."""
        requests = (
            ApiKeyUsage.objects.filter(key=OuterRef("pk"), date__gte=first_day())
            .order_by()
            .values("key")
            .annotate(total=Sum("requests"))
            .values("total")
        )
        return self.order_by(Subquery(requests).desc(nulls_last=True), "-created_at", "-pk")

    def issue(
        self,
        *,
        store: Store,
        name: str,
        access: Iterable[str],
        expires_at: datetime | None = None,
        allowed_addresses: Iterable[str] = (),
        created_by: "User | None" = None,
    ) -> tuple["ApiKey", str]:
        """A new key and its plaintext, which exists nowhere else.

        Raises ValueError for a scope that does not exist, IntegrityError
        (``api_key_name_is_unique_in_store``) when the name is taken, and StoreSuspended.
        """
        with transaction.atomic():
            key, plaintext = self.draw(
                store=store,
                name=name,
                access=access,
                expires_at=expires_at,
                allowed_addresses=list(allowed_addresses),
                created_by=created_by,
            )
            audit.created(key, created_by)
            emails.created(key, created_by)
        return key, plaintext

    def draw(self, *, store: Store, access: Iterable[str], **fields: Any) -> tuple["ApiKey", str]:
        """Save a key under a prefix nobody has: on a collision, draw again. Raises StoreSuspended."""
        fields |= {"store": store, "access": with_implied(access)}
        with holding(store):
            Suspension.objects.ensure_none(store)
            while True:
                prefix, plaintext = keys.generate()
                try:
                    with transaction.atomic():
                        key = self.create(prefix=prefix, digest=keys.digest(plaintext), **fields)
                except IntegrityError:
                    if not self.filter(prefix=prefix).exists():
                        raise
                else:
                    return key, plaintext


def portions(found: Iterable[str], size: int = 500) -> Iterator[list[str]]:
    """No more at once than a database takes in one question."""
    rest = iter(found)
    while portion := list(islice(rest, size)):
        yield portion


def _inactive(now: datetime) -> Q:
    deactivated = Q(deactivated_at__isnull=False) & (Q(reactivates_at=None) | Q(reactivates_at__gt=now))
    return deactivated | Q(suspended_at__isnull=False)


def _expired(now: datetime) -> Q:
    return Q(expires_at__isnull=False, expires_at__lte=now)
