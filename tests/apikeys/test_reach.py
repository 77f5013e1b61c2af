"""Programs, owners and operators at random: at no moment does a key reach more than its makers did."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from apikeys import client_ip, lifecycle, renewal
from apikeys.actors import Actor
from apikeys.lifecycle import NameTaken, StaleKey, StoreSuspended
from apikeys.models import ApiKey, AuditEntry, Suspension
from apikeys.reach import BeyondOwnAccess, ProgramStopped
from apikeys.renewal import NotRenewable, RenewedTooSoon
from stores.models import Store
from stores.resources import SCOPES

REFUSALS = (
    *(BeyondOwnAccess, ProgramStopped, StaleKey, NameTaken, StoreSuspended),
    *(NotRenewable, RenewedTooSoon, ApiKey.DoesNotExist),
)
ADDRESSES: list[list[str]] = [[], ["203.0.113.0/24"], ["203.0.113.7"], ["203.0.113.7", "2001:db8::/32"]]

accesses = st.lists(
    st.sampled_from(["orders:read", "orders:write", "coupons:read", "api_keys:write"]), min_size=1, max_size=3
)
days = st.sampled_from([None, 1, 10, 100, 400])
addresses = st.sampled_from(ADDRESSES)
# Of the keys that there are, the one at this place, counted round.
places = st.integers(0, 50)
ACTS = ["create", "create", "create", "update", "update", "roll", "deactivate", "reactivate", "delete"]
changes = st.sampled_from(ACTS)
interventions = st.sampled_from([*ACTS, "create", "suspend", "resume", "resume", "leak"])


class Programs(RuleBasedStateMachine):
    """Programs and people at work, and the key that made each key, kept here apart from the database."""

    def __init__(self, store: Store, owner: User) -> None:
        super().__init__()
        ApiKey.objects.all().delete()
        AuditEntry.objects.all().delete()
        Suspension.objects.all().delete()
        store.refresh_from_db()
        self.store = store
        self.people = Actor(owner)
        self.made_with: dict[int, int] = {}
        self.leaked: set[int] = set()
        self.counter = 0
        for name, access in (("All", list(SCOPES)), ("Orders", ["orders:write", "api_keys:write"])):
            lifecycle.create_key(store=store, name=name, by=self.people, **self.fields(access, 200, []))

    # Helpers.

    def key(self, place: int) -> ApiKey | None:
        keys = list(ApiKey.objects.filter(store=self.store).select_related("store").order_by("pk"))
        return keys[place % len(keys)] if keys else None

    def program(self, place: int) -> ApiKey | None:
        """A key that manages keys and works, as the API would authenticate it."""
        managing = ApiKey.objects.usable().granting("api_keys:write").select_related("store").order_by("pk")
        keys = list(managing)
        return keys[place % len(keys)] if keys else None

    def fields(self, access: list[str], until: int | None, allowed: list[str]) -> dict[str, Any]:
        expires_at = None if until is None else timezone.now() + timedelta(days=until)
        return {"access": access, "expires_at": expires_at, "allowed_addresses": allowed}

    @contextmanager
    def tried(self, actor: Actor) -> Iterator[None]:
        """A change that happens as a whole, with entries by its actor, or not at all."""
        before = AuditEntry.objects.count()
        rows = sorted(ApiKey.objects.values_list("pk", "version"))
        try:
            with transaction.atomic():
                yield
        except REFUSALS:
            assert AuditEntry.objects.count() == before
            return
        new = AuditEntry.objects.all()[: AuditEntry.objects.count() - before]
        assert new or sorted(ApiKey.objects.values_list("pk", "version")) == rows
        prefix = actor.key.prefix if actor.key else ""
        email = actor.user.email if actor.user else ""
        assert {(entry.actor_email, entry.actor_prefix) for entry in new} <= {(email, prefix)}

    def ensure_within(self, program: ApiKey, key: ApiKey) -> None:
        """The rule in other words than the code's."""
        key.refresh_from_db()
        assert set(key.access) <= {scope for scope in program.access if not scope.startswith("api_keys")}
        assert key.expires_at is not None
        assert key.expires_at <= timezone.now() + timedelta(days=365)
        assert program.expires_at is None or key.expires_at <= program.expires_at
        if program.allowed_addresses:
            assert key.allowed_addresses
            around = client_ip.networks(tuple(program.allowed_addresses))
            for one in client_ip.networks(tuple(key.allowed_addresses)):
                assert any(one.version == net.version and one.subnet_of(net) for net in around)  # type: ignore[arg-type]

    def is_made_with(self, program: ApiKey, key: ApiKey) -> bool:
        """Whether the program's key, or one that it took the place of, made the key or its maker."""
        line, at = {program.pk}, program
        while at.predecessor is not None:
            at = at.predecessor
            line.add(at.pk)
        maker = self.made_with.get(key.pk)
        while maker is not None:
            if maker in line:
                return True
            maker = self.made_with.get(maker)
        return False

    # What programs do, and owners and operators beside them.

    @rule(by=places, at=places, what=changes, access=accesses, until=days, allowed=addresses)
    def program_acts(  # one thing to draw each
        self, by: int, at: int, what: str, access: list[str], until: int | None, allowed: list[str]
    ) -> None:
        program, key = self.program(by), self.key(at)
        if program is None or key is None or program.pk == key.pk:
            return
        was_made = self.is_made_with(program, key)
        with self.tried(Actor(key=program)):
            changed = self.change(key, Actor(key=program), what, self.fields(access, until, allowed))
            assert was_made or what == "create"
            if changed:
                self.ensure_within(program, changed)

    @rule(at=places, what=interventions, access=accesses, until=days, allowed=addresses)
    def person_acts(
        self, at: int, what: str, access: list[str], until: int | None, allowed: list[str]
    ) -> None:
        if key := self.key(at):
            with self.tried(self.people):
                if what == "suspend":
                    lifecycle.suspend_store(self.store, by=self.people, reason="Guessing.")
                elif what == "resume":
                    lifecycle.resume_store(self.store, by=self.people)
                elif what == "leak":
                    lifecycle.report_leaked_keys([key], by=self.people)
                    self.leaked.add(key.pk)
                else:
                    self.change(key, self.people, what, self.fields(access, until, allowed))

    def change(self, key: ApiKey, actor: Actor, what: str, fields: dict[str, Any]) -> ApiKey | None:
        """Make the change, and return the key that it left with some access."""
        if what == "update" and key.renews_days:
            del fields["expires_at"]
        match what:
            case "create":
                self.counter += 1
                renews = 30 if actor is self.people and self.counter % 3 == 0 else None
                name = f"Key {self.counter}"
                key, _ = lifecycle.create_key(
                    store=self.store, name=name, by=actor, renews_days=renews, **fields
                )
            case "update":
                lifecycle.update_key(key, by=actor, version=key.version, **fields)
            case "roll":
                key, _ = lifecycle.roll_key(key, by=actor, overlap=timedelta(days=1))
            case "reactivate":
                lifecycle.reactivate_key(key, by=actor, version=key.version)
            case "deactivate":
                lifecycle.deactivate_key(key, by=actor)
            case "delete":
                lifecycle.delete_key(key, by=actor)
        if actor.key and what in {"create", "roll"}:
            self.made_with[key.pk] = actor.key.pk
        return None if what in {"deactivate", "delete"} else key

    @rule(at=places)
    def renew(self, at: int) -> None:
        key = self.key(at)
        if key is None or not key.is_usable(timezone.now()):
            return
        with self.tried(Actor(key=key)):
            new, _ = renewal.renew_key(key, by=Actor(key=key))
            self.made_with[new.pk] = key.pk
            assert (new.access, new.allowed_addresses) == (key.access, key.allowed_addresses)
            renewal.confirm_renewal(new)

    @invariant()
    def no_key_made_with_a_leaked_one_works(self) -> None:
        there = set(ApiKey.objects.values_list("pk", flat=True))
        for pk in ApiKey.objects.usable().values_list("pk", flat=True):
            maker: int | None = pk
            # A maker that was deleted is forgotten.
            while maker is not None and maker in there:
                assert maker not in self.leaked
                maker = self.made_with.get(maker)

    @invariant()
    def no_program_made_a_key_that_manages_keys(self) -> None:
        makers = Counter(ApiKey.objects.granting("api_keys:").values_list("made_by", "predecessor"))
        # A key that renews itself stays what its owner made it.
        assert all(maker is None or maker == predecessor for maker, predecessor in makers)


@pytest.mark.django_db
def test_no_key_reaches_more_than_its_maker(store: Store, owner: User) -> None:
    run_state_machine_as_test(
        lambda: Programs(store, owner),  # type: ignore[arg-type]  # any maker of machines will do
        settings=settings(
            max_examples=8,
            stateful_step_count=25,
            derandomize=True,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
