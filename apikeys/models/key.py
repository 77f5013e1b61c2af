"""API keys: columns, constraints, and how they are found. What is done to them is in ``lifecycle``."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from django.conf import settings
from django.db import connection, models
from django.db.models import Case, Count, F, OuterRef, Q, Subquery, Sum, Value, When
from django.db.models.functions import Cast, Coalesce
from django.utils import timezone
from django.utils.functional import cached_property
from django.views.decorators.debug import sensitive_variables

from apikeys import client_ip, key_text
from apikeys.models import state as states
from apikeys.models.usage import Usage, first_day
from stores.models import Store
from stores.models.columns import FoldedField
from stores.resources import Access, Resource
from stores.text import ComparableNameField, comparable

# Both as deep as it goes, in one query: a key that renews itself has a long line.
MADE_WITH = """
    WITH RECURSIVE made (id) AS (
        SELECT id FROM apikeys_apikey WHERE made_by_id IN ({ids})
        UNION
        SELECT one.id FROM apikeys_apikey one JOIN made ON one.made_by_id = made.id
    )
    SELECT id FROM made
"""
LINE_OF = """
    WITH RECURSIVE line (id, predecessor_id) AS (
        SELECT id, predecessor_id FROM apikeys_apikey WHERE id = %s
        UNION
        SELECT one.id, one.predecessor_id FROM apikeys_apikey one JOIN line ON one.id = line.predecessor_id
    )
    SELECT id FROM line
"""
# For so long after a key was fenced, its owner is told at once of every refusal by the fence.
GATE = timedelta(hours=48)
# Of whole keys that are looked for in one query.
BATCH = 500


class ApiKeyQuerySet(models.QuerySet["ApiKey"]):
    def for_store(self, store: Store) -> "ApiKeyQuerySet":
        return self.filter(store=store)

    def kept(self) -> "ApiKeyQuerySet":
        """Keys that people make and keep, without those that a trust makes for minutes."""
        return self.filter(trust=None)

    def usable(self) -> "ApiKeyQuerySet":
        """Keys that a request may use now: neither deactivated, nor suspended, nor expired."""
        return self.in_state("working")

    def made_with(self, ids: Iterable[int]) -> set[int]:
        """Return the ids of the keys that programs made with these keys, and with those, to the last."""
        makers = list(ids)
        return _select_ids(MADE_WITH.format(ids=", ".join(["%s"] * len(makers))), makers) if makers else set()

    def line_of(self, pk: int) -> set[int]:
        """Return the ids of a key and of all keys that it took the place of."""
        return _select_ids(LINE_OF, [pk])

    def with_name(self, name: str) -> "ApiKeyQuerySet":
        """Keys that keep others from this name; a rolled key has handed its name on."""
        return self.filter(comparable_name=comparable(name), superseded_at=None, trust=None)

    def granting(self, scope: str) -> "ApiKeyQuerySet":
        """Keys that reach a scope, or any that ends like ``:write``. It compares text: both databases can."""
        return self.alias(access_text=Cast("access", models.TextField())).filter(
            access_text__contains=f'{scope}"'
        )

    @sensitive_variables()
    def with_plaintext(self, plaintexts: Iterable[str]) -> "ApiKeyQuerySet":
        """Keys whose whole text is among these; a right prefix before a wrong secret finds none."""
        presented = set(filter(key_text.is_well_formed, plaintexts))
        return self.select_related("store").filter(
            prefix__in={text[: key_text.PREFIX_LENGTH] for text in presented},
            digest__in=set(map(key_text.digest, presented)),
        )

    @sensitive_variables()
    def in_leak(self, text: str) -> "list[ApiKey]":
        """Return the keys that are whole in a text."""
        found = sorted(key_text.find_keys(text))
        # PostgreSQL takes 65,535 parameters in a query, and a text may have more.
        batches = (found[start : start + BATCH] for start in range(0, len(found), BATCH))
        return [key for batch in batches for key in self.with_plaintext(batch)]

    def search(self, text: str) -> "ApiKeyQuerySet":
        """Keys whose name or note contains the text, or whose prefix it is, typed, masked or in a key."""
        named = Q(search_text__contains=comparable(text))
        if prefix := key_text.find_prefix(text):
            return self.filter(named | Q(prefix=prefix))
        return self.filter(named | Q(prefix__istartswith=text))

    def with_status(self, counts: Mapping[str, int] | None = None) -> "ApiKeyQuerySet":
        """Fetch what each key's ``status`` needs of other tables, which takes a query for each otherwise.

        With the ``counts`` of ``count_by_state()`` of these keys it asks only what holds of one of them.
        """
        return self.select_related("last_use").annotate(**states.facts(counts))

    def in_state(self, name: str) -> "ApiKeyQuerySet":
        """Keys that are in this state, be it their status or not."""
        return self.filter(states.BY_NAME[name].condition())

    def count_by_state(self) -> dict[str, int]:
        """Return how many keys of ``grouped_by_state()`` are in each state, by its name, and ``all``."""
        counts = dict.fromkeys(["all", *states.BY_NAME], 0)
        groups: Any = self
        for group in groups:
            counts["all"] += group["all"]
            counts[group["last"]] += group["all"]
            for state in states.before(group["last"]):
                counts[state.name] += group.get(state.name, 0)
        return counts

    def with_requests(self) -> "ApiKeyQuerySet":
        """Add ``requests``, those of the last 30 days."""
        requests = (
            Usage.objects.filter(day__gte=first_day())
            .filter(key=OuterRef("pk"))
            .order_by()
            .values("key")
            .annotate(total=Sum("requests"))
            .values("total")
        )
        return self.annotate(requests=Coalesce(Subquery(requests), 0))


class KeyRules:
    """The rules by which a key is judged, of whatever has its columns: the model, or what a request reads."""

    pk: Any
    store: Any
    access: Any
    expires_at: Any
    allowed_addresses: Any
    deactivated_at: Any
    reactivates_at: Any
    fence: Any
    is_canary: Any
    replaced_at: Any
    reused_at: Any

    @property
    def fenced_at(self) -> datetime | None:
        return datetime.fromisoformat(self.fence["at"]) if self.fence else None

    def is_gate_open(self, at: datetime) -> bool:
        """Whether the key was fenced so recently that its owner is told at once of what the fence refuses."""
        return self.fenced_at is not None and at < self.fenced_at + GATE

    def is_deactivated(self, at: datetime) -> bool:
        """Whether somebody deactivated this very key, suspended or not."""
        return self.deactivated_at is not None and (self.reactivates_at is None or self.reactivates_at > at)

    def is_expired(self, at: datetime) -> bool:
        return self.expires_at is not None and self.expires_at <= at

    def is_usable(self, at: datetime) -> bool:
        return states.refusing_state(self, at) is None

    def is_allowed_from(self, address: client_ip.Address | None) -> bool:
        return not self.allowed_addresses or client_ip.is_within(address, self.allowed_addresses)

    def allows(self, scope: str) -> bool:
        return scope in self.access


class ApiKey(KeyRules, models.Model):
    """One key of one store. The secret is not here: only the digest of the whole key is."""

    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="api_keys")
    name = models.CharField(max_length=100)
    note = models.CharField(max_length=500, blank=True, default="", db_default="")
    comparable_name = ComparableNameField()
    search_text = FoldedField(sources=("name", "note"))
    prefix = models.CharField(max_length=key_text.PREFIX_LENGTH, editable=False)
    digest = models.CharField(max_length=key_text.DIGEST_LENGTH, editable=False)
    access = models.JSONField(help_text="Scopes such as orders:read, with what they imply.")
    expires_at = models.DateTimeField(null=True, blank=True)
    allowed_addresses = models.JSONField(
        default=list, blank=True, help_text="Addresses and networks (CIDR) it works from; empty: all."
    )
    rate_limit = models.PositiveIntegerField(
        null=True, blank=True, help_text="Requests a minute; empty: as many as any key."
    )
    deactivated_at = models.DateTimeField(null=True, blank=True, editable=False)
    reactivates_at = models.DateTimeField(null=True, blank=True, editable=False)
    # Somebody else had the whole key: it is off for good, and nobody turns it on again.
    leaked_at = models.DateTimeField(null=True, editable=False)
    # When the whole key first came over plain HTTP, where others can read it.
    exposed_at = models.DateTimeField(null=True, editable=False)
    # With all keys of its store, by an operator: see apikeys.models.suspension.
    suspended_at = models.DateTimeField(null=True, editable=False)
    # The trust that made it, which it ends with; null: it is one of those that people make and keep.
    trust = models.ForeignKey(
        "apikeys.Trust", on_delete=models.CASCADE, null=True, editable=False, related_name="keys"
    )
    # What it had before it was fenced to what it used: when that was ("at"), "access", "allowed_addresses".
    fence = models.JSONField(null=True, editable=False)
    # Made to be found by whoever looks for keys, and off for good: any use of it is an alarm.
    is_canary = models.BooleanField(default=False, db_default=False, editable=False)
    # Whether its owner wants to know when it falls silent or fails, and the last success before it did.
    is_rhythm_watched = models.BooleanField(default=True, db_default=True, editable=False)
    quiet_since = models.DateTimeField(null=True, editable=False)
    predecessor = models.ForeignKey(
        "self", on_delete=models.SET_NULL, null=True, editable=False, related_name="successors"
    )
    superseded_at = models.DateTimeField(null=True, editable=False)
    # The key whose program made this one, by the API or by renewing itself; null: a person did.
    made_by = models.ForeignKey(
        "self", on_delete=models.SET_NULL, null=True, editable=False, related_name="made"
    )
    renews_days = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="It may renew itself, for so many days each time; empty: not."
    )
    # A key that renews itself should have by then.
    renewal_due_at = models.DateTimeField(null=True, editable=False)
    # Of a key that renewed another: whether no request has come with it, so that the other one works on.
    is_unconfirmed = models.BooleanField(default=False, db_default=False, editable=False)
    # Of a key that renewed itself: from then on only somebody who does not have the new one calls with it.
    replaced_at = models.DateTimeField(null=True, editable=False)
    # When it was first called with after that; null: never.
    reused_at = models.DateTimeField(null=True, editable=False)
    # When somebody saw the whole key, once; null: nobody did.
    revealed_at = models.DateTimeField(null=True, editable=False)
    version = models.PositiveIntegerField(default=1, editable=False)
    # When anything of the above last changed; null: never.
    changed_at = models.DateTimeField(null=True, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, editable=False, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    # Of other tables: see with_status().
    has_open_refusal = False
    is_failing = False
    has_unused_write = False

    objects = ApiKeyQuerySet.as_manager()

    class Meta:
        verbose_name = "API key"
        indexes = (models.Index(fields=("store", "-created_at"), name="api_key_newest_in_store"),)
        constraints = (
            models.UniqueConstraint(fields=("prefix",), name="api_key_prefix_is_unique"),
            models.UniqueConstraint(
                fields=("store", "comparable_name"),
                # Blank: the release before wrote it.
                condition=Q(superseded_at=None, trust=None) & ~Q(comparable_name=""),
                name="api_key_name_is_unique_in_store",
            ),
            models.CheckConstraint(condition=~Q(access=[]), name="api_key_reaches_something"),
            models.CheckConstraint(
                condition=Q(rate_limit=None) | Q(rate_limit__gte=1), name="api_key_rate_limit_lets_in"
            ),
            models.CheckConstraint(
                condition=Q(reactivates_at=None) | Q(reactivates_at__gt=F("deactivated_at")),
                name="api_key_reactivates_after_deactivation",
            ),
            models.CheckConstraint(
                condition=Q(leaked_at=None) | Q(deactivated_at__isnull=False, reactivates_at=None),
                name="api_key_leaked_is_off_for_good",
            ),
            models.CheckConstraint(
                condition=Q(renews_days=None)
                | Q(renews_days__range=(1, 90), expires_at__isnull=False, renewal_due_at__isnull=False),
                name="api_key_that_renews_itself_ends",
            ),
            models.CheckConstraint(
                condition=Q(is_canary=False) | Q(deactivated_at__isnull=False, reactivates_at=None),
                name="api_key_canary_is_off_for_good",
            ),
        )

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix})"

    @property
    def masked(self) -> str:
        """The key as it may be shown: ``19656ea.••••••••``."""
        return f"{self.prefix}.{'•' * 8}"

    @property
    def highest_access(self) -> list[tuple[Resource, Access]]:
        """Each resource that the key reaches, with the most it may do there."""
        highest = {}
        for scope in self.access:
            resource, access = scope.split(":")
            highest[Resource(resource)] = Access(access)
        return list(highest.items())

    @cached_property
    def status(self) -> str:
        """The name of the first state that the key is in; see ``with_status()``."""
        now = timezone.now()
        if "is_failing" not in vars(self):
            # Nothing is found of a key that was deleted at this instant.
            for found in ApiKey.objects.filter(pk=self.pk).values(**states.facts()):
                vars(self).update(found)
        return next(state.name for state in states.STATES if state.holds(self, now))

    @property
    def state(self) -> states.State:
        return states.BY_NAME[self.status]

    @property
    def last_tried_at(self) -> datetime | None:
        """The time of its newest request, refused or not."""
        last_use = getattr(self, "last_use", None)
        return last_use.at if last_use else None

    @property
    def last_used_at(self) -> datetime | None:
        """The time of its newest request that was let in."""
        last_use = getattr(self, "last_use", None)
        return last_use.used_at if last_use else None

    @property
    def is_renewed(self) -> bool:
        """Whether it took the place of a key that renewed itself."""
        return self.made_by_id is not None and self.made_by_id == self.predecessor_id

    @property
    def is_changeable(self) -> bool:
        """Whether people change it: not one that a trust made, nor one that has renewed itself."""
        return self.trust_id is None and self.replaced_at is None

    @property
    def is_rollable(self) -> bool:
        return self.is_changeable and self.superseded_at is None and self.is_usable(timezone.now())

    @property
    def is_deactivatable(self) -> bool:
        return not self.is_deactivated(timezone.now())

    @property
    def is_reactivatable(self) -> bool:
        is_off_for_good = self.leaked_at or self.is_canary or self.suspended_at
        return self.is_changeable and not is_off_for_good and self.is_deactivated(timezone.now())

    @property
    def is_ending(self) -> bool:
        """Whether it was rolled and works for a while longer. An owner may take its end away again."""
        return bool(self.superseded_at and self.expires_at) and self.is_usable(timezone.now())

    def is_inactive(self, at: datetime) -> bool:
        """Whether it is off for whatever reason but its expiry."""
        state = states.refusing_state(self, at)
        return state is not None and state.error_code == "api_key_inactive"


def grouped_by_state() -> ApiKeyQuerySet:
    """Return all keys, to be narrowed and then counted: see ``count_by_state()``.

    They are in groups by the state that nothing comes after, so that each rule is said once: to count each
    state by itself would say those that refuse again for every later state.
    """
    return _put_together_groups().all()


@cache  # it takes Django longer to put this together than it takes SQLite to answer
def _put_together_groups() -> ApiKeyQuerySet:
    # The last state of a key is the first that refuses, or ``working``.
    refusing = (When(state.where(), then=Value(state.name)) for state in states.REFUSING)
    by_last: Any = ApiKey.objects.annotate(last=Case(*refusing, default=Value("working"))).values("last")
    others = [state for state in states.STATES[:-1] if not state.error_code]
    counts = {state.name: Count("pk", filter=state.where()) for state in others}
    groups: ApiKeyQuerySet = by_last.annotate(all=Count("pk"), **counts)
    return groups


def _select_ids(sql: str, parameters: list[int]) -> set[int]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return {row[0] for row in cursor.fetchall()}
