"""The states of a key, one row each: badge, filter, Needs attention, reminders and permission all read this.

The first state that a key is in is its status. Each is a filter of the list, and some need attention. To add
one, add a row. A rule is written twice in a row, for the database and for one key; a test compares the two.
Of the rules that read other tables the database's is the only one: a key has what it found (``facts``).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db import connection
from django.db.models import (
    BooleanField,
    Case,
    DateField,
    Exists,
    ExpressionWrapper,
    F,
    Func,
    OuterRef,
    Q,
    TextField,
    Value,
    When,
)
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast
from django.db.models.lookups import Contains

from apikeys.models.from_now import FromNow
from apikeys.models.refusals import Refusal
from apikeys.models.usage import PERIOD_DAYS, Outcome, Usage

if TYPE_CHECKING:
    from apikeys.models.key import KeyRules

EXPIRES_SOON = timedelta(days=7)
UNUSED = timedelta(days=PERIOD_DAYS)
IDLE = timedelta(days=90)
CANARY_ALARM = timedelta(days=7)

SCOPES = {
    "postgresql": "jsonb_array_elements_text(apikeys_apikey.access) AS scope (value)",
    "sqlite": "json_each(apikeys_apikey.access) AS scope",
}
# A percent sign is written for Func, which leaves half of them for the cursor.
UNUSED_WRITE = """
    EXISTS (
        SELECT 1 FROM {scopes}
        WHERE scope.value LIKE '%%%%:write' AND NOT EXISTS (
            SELECT 1 FROM apikeys_usage used
            WHERE used.key_id = apikeys_apikey.id AND used.day >= %(expressions)s AND used.access = 'write'
                AND used.resource || ':write' = scope.value
        )
    )
"""


@dataclass(frozen=True, slots=True)
class State:
    """A state that a key can be in.

    ``name`` is its value in addresses, ``word`` that of badge and filter, ``tone`` the badge's colour:
    ``good``, ``warn``, ``bad`` or ``off``. ``where`` is its rule for the database, ``holds`` the same for one
    key. Requests with such a key are refused with ``error_code``, blank where they are not; ``explanation``
    is told to the caller where the code's own sentence would not help. ``attention`` is said of such keys
    under Needs attention; blank for a state that needs none.
    """

    name: str
    word: str
    tone: str
    where: Callable[[], Q]
    # Of an ApiKey, whose module imports this one; a rule that refuses, of what a request reads, too.
    holds: Callable[[Any, datetime], bool]
    error_code: str = ""
    explanation: str = ""
    attention: str = ""
    # Whether the monthly review is about it; others have e-mails of their own, or are urgent.
    in_review: bool = False

    def condition(self) -> Q:
        """Return the condition of keys in this state: its rule, and that of no earlier one that refuses."""
        found = Q()
        for earlier in before(self.name):
            if earlier.error_code:
                found &= ~earlier.where()
        return found & self.where()


def has_open_refusal() -> Q:
    """Keys that work, and whose requests were refused in the last days for a cause that stands."""
    return Q(Exists(Refusal.objects.alarms().filter(key=OuterRef("pk"))))


def is_failing() -> Q:
    """Keys whose requests succeeded regularly until ``quiet_since``, and came and failed ever since."""
    succeeded = Usage.objects.filter(
        key=OuterRef("pk"), outcome=Outcome.SUCCEEDED, last_at__gt=OuterRef("quiet_since")
    )
    is_called = Q(superseded_at=None, last_use__at__gt=F("quiet_since"))
    return _in_turn(is_called, ~Exists(succeeded))


def has_unused_write() -> Q:
    """Keys in use that may write to a resource and have not asked to in 30 days.

    Raw, because the ORM cannot take a JSON list apart: it takes a subquery for each resource.
    """
    unused = Func(
        FromNow(timedelta(days=1 - PERIOD_DAYS), output_field=DateField()),
        template=UNUSED_WRITE.format(scopes=SCOPES[connection.vendor]),
        output_field=BooleanField(),
    )
    is_in_use = Q(created_at__lt=FromNow(-UNUSED), last_use__used_at__gte=FromNow(-UNUSED))
    # Most keys may not write, which their list tells before it is taken apart.
    may_write = Q(Contains(Cast("access", TextField()), ":write"))
    # One that is off is refused first, so nobody needs to read what it used.
    return _in_turn(is_in_use & ~BY_NAME["off"].where() & may_write, unused)


def _in_turn(first: Q, then: Combinable) -> Q:
    """Return the condition that both hold, of which the second reads usage, and only where the first holds.

    Of ``first AND then`` SQLite works out both for every key.
    """
    return Q(Case(When(first, then=then), default=False, output_field=BooleanField()))


STATES = (
    State(
        "leaked",
        "Leaked",
        "bad",
        where=lambda: Q(leaked_at__isnull=False),
        holds=lambda key, now: key.leaked_at is not None,
        error_code="api_key_inactive",
        explanation=(
            "This API key was reported as leaked and is off for good: ask its store's owner for a new one."
        ),
    ),
    State(
        "canary-used",
        "Canary used",
        "bad",
        where=lambda: Q(is_canary=True, last_use__at__gt=FromNow(-CANARY_ALARM)),
        holds=lambda key, now: (
            key.is_canary and key.last_tried_at is not None and key.last_tried_at > now - CANARY_ALARM
        ),
        attention="that nobody should have, used in the last 7 days: a canary was found",
    ),
    State(
        "suspended",
        "Suspended",
        "off",
        where=lambda: Q(suspended_at__isnull=False),
        holds=lambda key, now: key.suspended_at is not None,
        error_code="api_key_inactive",
        explanation="This API key is suspended: an operator switched off all keys of its store.",
    ),
    State(
        "canary",
        "Canary",
        "off",
        where=lambda: Q(is_canary=True),
        holds=lambda key, now: key.is_canary,
        error_code="api_key_inactive",
    ),
    State(
        "off",
        "Off",
        "off",
        where=lambda: (
            Q(deactivated_at__isnull=False) & (Q(reactivates_at=None) | Q(reactivates_at__gt=FromNow()))
        ),
        holds=lambda key, now: key.is_deactivated(now),
        error_code="api_key_inactive",
    ),
    State(
        "reused",
        "Used after it was replaced",
        "bad",
        where=lambda: Q(reused_at__isnull=False),
        holds=lambda key, now: key.reused_at is not None,
        error_code="api_key_inactive",
        explanation="This API key has renewed itself: use the new one.",
        attention="used after it was replaced, so two programs hold it",
    ),
    State(
        "replaced",
        "Replaced",
        "off",
        where=lambda: Q(replaced_at__lte=FromNow()),
        holds=lambda key, now: key.replaced_at is not None and key.replaced_at <= now,
        error_code="api_key_inactive",
        explanation="This API key has renewed itself: use the new one.",
    ),
    State(
        "still-called",
        "Expired, still called",
        "warn",
        where=lambda: Q(expires_at__lte=FromNow(), last_use__at__gt=F("expires_at")),
        holds=lambda key, now: (
            key.is_expired(now) and key.last_tried_at is not None and key.last_tried_at > key.expires_at
        ),
        attention="expired and still called",
    ),
    State(
        "expired",
        "Expired",
        "off",
        where=lambda: Q(expires_at__lte=FromNow()),
        holds=lambda key, now: key.is_expired(now),
        error_code="api_key_expired",
    ),
    State(
        "refused",
        "Requests refused",
        "bad",
        where=has_open_refusal,
        holds=lambda key, now: key.has_open_refusal,
        attention="with requests refused in the last 7 days",
    ),
    State(
        "failing",
        "Fails",
        "bad",
        where=is_failing,
        holds=lambda key, now: key.is_failing,
        attention="whose requests succeeded regularly and now all fail",
    ),
    State(
        "quiet",
        "Quiet",
        "warn",
        where=lambda: Q(superseded_at=None, last_use__at__lte=F("quiet_since")),
        holds=lambda key, now: (
            key.superseded_at is None
            and key.quiet_since is not None
            and key.last_tried_at is not None
            and key.last_tried_at <= key.quiet_since
        ),
        attention="used regularly and now silent: a program may have stopped",
    ),
    State(
        "rolled",
        "Rolled",
        "off",
        where=lambda: Q(superseded_at__isnull=False),
        holds=lambda key, now: key.superseded_at is not None,
    ),
    State(
        "renewal-due",
        "Not renewed",
        "warn",
        where=lambda: Q(superseded_at=None, renewal_due_at__lte=FromNow()),
        holds=lambda key, now: (
            key.superseded_at is None and key.renewal_due_at is not None and key.renewal_due_at <= now
        ),
        attention="that should have renewed itself by now",
    ),
    State(
        "expiring",
        "Expires soon",
        "warn",
        where=lambda: Q(
            superseded_at=None, made_by=None, renews_days=None, expires_at__lte=FromNow(EXPIRES_SOON)
        ),
        holds=lambda key, now: (
            key.superseded_at is None
            and key.made_by_id is None
            and key.renews_days is None
            and key.is_expired(now + EXPIRES_SOON)
        ),
        attention="expiring within 7 days",
    ),
    State(
        "unused",
        "Never used",
        "off",
        where=lambda: Q(last_use__used_at=None, created_at__lt=FromNow(-UNUSED)),
        holds=lambda key, now: key.last_used_at is None and key.created_at < now - UNUSED,
        attention="never used in 30 days",
        in_review=True,
    ),
    State(
        "idle",
        "Idle",
        "off",
        where=lambda: Q(last_use__used_at__lt=FromNow(-IDLE)),
        holds=lambda key, now: key.last_used_at is not None and key.last_used_at < now - IDLE,
        attention="not used for 90 days",
        in_review=True,
    ),
    State(
        "write-unused",
        "Write not used",
        "good",
        where=has_unused_write,
        holds=lambda key, now: key.has_unused_write,
        attention="with write access that no request needed in 30 days",
        in_review=True,
    ),
    State("working", "Working", "good", where=lambda: Q(), holds=lambda key, now: True),
)
BY_NAME = {state.name: state for state in STATES}
REFUSING = tuple(state for state in STATES if state.error_code)


def refusing_state(key: "KeyRules", now: datetime) -> State | None:
    """Return the first state for which requests with the key are refused; None for a key that works."""
    return next((state for state in REFUSING if state.holds(key, now)), None)


def facts(counts: Mapping[str, int] | None = None) -> dict[str, Combinable]:
    """Return the rules that read other tables, by the attributes of a key that hold whether they do.

    Where it is known how many of the keys are in each state, a rule that none of them meets is not asked.
    """
    read_other_tables = (has_open_refusal, is_failing, has_unused_write)
    return {
        state.where.__name__: (
            ExpressionWrapper(state.where(), BooleanField())
            if counts is None or counts[state.name]
            else Value(value=False)
        )
        for state in STATES
        if state.where in read_other_tables
    }


def before(name: str) -> tuple[State, ...]:
    """Return the states that a key can be in besides this last one."""
    return STATES[: STATES.index(BY_NAME[name])]


def attention_lines(counts: Mapping[str, int]) -> list[tuple[State, str]]:
    """Return each state that needs attention and that keys are in, most urgent first, with a sentence."""
    return [
        (state, f"{count} key{'s' * (count > 1)} {state.attention}")
        for state in STATES
        if state.attention and (count := counts[state.name])
    ]
