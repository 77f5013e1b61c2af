"""A program, its workers and a thief at random: the program's key works, and two holders are found out.

With nobody but the program, whatever gets lost and wherever it is killed, its key works and nobody is said to
have stolen it. With a thief, either the thief's keys stop, or the owners are told.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.test import Client
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from apikeys.models import ApiKey, AuditEntry
from tests.conftest import IssueKey, bearer

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
A_MINUTE = timedelta(minutes=1)
# A program that was killed tries again before the old key has ended.
PATIENCE = timedelta(hours=20)

ends = st.sampled_from(["answer lost", "killed before writing", "killed before using", "finished"])
waits = st.sampled_from([1, 30, 59, 61, 600, 3600, 5 * 3600, 12 * 3600])


class Renewals(RuleBasedStateMachine):
    has_thief = False

    def __init__(self, issue: IssueKey) -> None:
        super().__init__()
        ApiKey.objects.all().delete()
        AuditEntry.objects.all().delete()
        self.travel = time_machine.travel(NOON, tick=False)
        self.clock = self.travel.start()
        self.now = NOON
        self.key, self.file = issue(renews_days=10)
        self.worker, self.read_at = self.file, self.now
        # When the key in the file was first traded, and when one was last written there.
        self.traded_at: datetime | None = None
        self.written_at = self.now
        self.stolen: str | None = None

    def teardown(self) -> None:
        self.travel.stop()

    # Helpers.

    def call(self, plaintext: str) -> str:
        """The code of the refusal, blank for none."""
        return str(Client().get("/v1/api-key/", headers=bearer(plaintext)).json().get("code", ""))

    def trade(self, plaintext: str) -> str | None:
        """The new key; None where there is none."""
        answer = Client().generic("POST", "/v1/api-key/roll/", headers=bearer(plaintext))
        assert self.has_thief or answer.status_code in {201, 429}, answer.json()
        return answer.json().get("key") if answer.status_code == 201 else None

    def pass_time(self, duration: timedelta) -> None:
        self.clock.shift(duration)
        self.now += duration

    def is_told(self) -> bool:
        return ApiKey.objects.filter(reused_at__isnull=False).exists()

    # What the program does.

    @rule(end=ends)
    def renew(self, end: str) -> None:
        new = self.trade(self.file)
        if new is None:
            return
        self.traded_at = self.traded_at or self.now
        if end in {"killed before using", "finished"}:
            self.file, self.traded_at, self.written_at = new, None, self.now
        if end == "finished":
            self.work()

    @rule()
    def work(self) -> None:
        code = self.call(self.file)
        assert self.has_thief or code == ""

    @rule()
    def work_with_what_was_read(self) -> None:
        """A worker reads the file again after a minute."""
        if self.now - self.read_at >= A_MINUTE:
            self.worker, self.read_at = self.file, self.now
        code = self.call(self.worker)
        assert self.has_thief or code == ""

    @rule(seconds=waits)
    def wait(self, seconds: int) -> None:
        duration = timedelta(seconds=seconds)
        is_late = self.traded_at and self.now + duration - self.traded_at > PATIENCE
        if is_late or self.now + duration - self.written_at > timedelta(days=8):
            self.pass_time(HOUR)
            self.renew("finished")
        self.pass_time(duration)

    # What a thief does.

    @precondition(lambda self: self.has_thief)
    @rule()
    def steal(self) -> None:
        self.stolen = self.stolen or self.file

    @precondition(lambda self: self.stolen)
    @rule()
    def use_the_stolen_key(self) -> None:
        self.call(self.stolen or "")

    @precondition(lambda self: self.stolen)
    @rule()
    def trade_the_stolen_key(self) -> None:
        self.stolen = self.trade(self.stolen or "") or self.stolen

    @invariant()
    def nobody_is_said_to_have_stolen_a_key_that_is_the_programs_alone(self) -> None:
        assert self.stolen or not self.is_told()


class StolenRenewals(Renewals):
    """Ends with both going on for a while: by then the thief is stopped, or the owners know."""

    has_thief = True

    def teardown(self) -> None:
        if self.stolen:
            acts: tuple[Callable[[], None], ...] = (
                self.use_the_stolen_key,
                self.work,
                lambda: self.renew("finished"),
                self.work,
            )
            for act in acts:
                self.pass_time(HOUR)
                act()
            self.pass_time(HOUR)
            assert self.call(self.stolen) or self.is_told()
        super().teardown()


@pytest.mark.django_db
@pytest.mark.parametrize("machine", [Renewals, StolenRenewals])
def test_a_program_keeps_a_key_that_works_and_two_holders_are_found_out(
    issue: IssueKey, machine: type[Renewals]
) -> None:
    run_state_machine_as_test(
        lambda: machine(issue),  # type: ignore[arg-type]  # any maker of machines will do
        settings=settings(
            max_examples=4,
            stateful_step_count=25,
            derandomize=True,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
