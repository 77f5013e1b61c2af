"""Keys that renew themselves: what is answered when, how long the old one works, and who is found out."""

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.db import connections
from django.template.loader import render_to_string
from django.test import Client

from apikeys import lifecycle, renewal
from apikeys.actors import Actor
from apikeys.models import ApiKey, AuditEntry
from tests.conftest import IssueKey, bearer, deliver_emails

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def clock() -> Iterator[Any]:
    with time_machine.travel(NOON, tick=False) as clock:
        yield clock


@pytest.fixture
def renewing(issue: IssueKey, clock: Any) -> tuple[ApiKey, str]:
    """A key of ten days that may renew itself."""
    made = issue(name="Shop", renews_days=10, allowed_addresses=["127.0.0.0/8"])
    deliver_emails().clear()
    return made


def renew(plaintext: str) -> Any:
    return Client().generic("POST", "/v1/api-key/roll/", headers=bearer(plaintext))


def call(plaintext: str) -> str:
    """The code of the refusal, blank for none."""
    return str(Client().get("/v1/api-key/", headers=bearer(plaintext)).json().get("code", ""))


def test_renewing_answers_a_key_of_the_same_settings_and_length(
    renewing: tuple[ApiKey, str], clock: Any
) -> None:
    old, plaintext = renewing
    clock.shift(3 * DAY)
    response = renew(plaintext)
    body = response.json()
    new = ApiKey.objects.get(prefix=body["prefix"])
    assert response.status_code == 201
    assert body["key"].startswith(f"{new.prefix}.")
    assert (new.name, new.access, new.allowed_addresses) == ("Shop", old.access, old.allowed_addresses)
    assert (new.renews_days, new.expires_at) == (10, NOON + 13 * DAY)
    assert (new.predecessor, new.made_by, new.created_by) == (old, old, None)
    assert call(body["key"]) == ""
    assert [entry.sentence for entry in AuditEntry.objects.for_key(old)][:1] == [
        f"Renewed itself: replaced by {new.prefix}."
    ]
    assert deliver_emails() == []


def test_the_old_key_works_until_a_minute_after_the_first_use_of_the_new_one(
    renewing: tuple[ApiKey, str], clock: Any
) -> None:
    _, old = renewing
    new = renew(old).json()["key"]
    clock.shift(23 * HOUR)
    assert call(old) == ""
    assert call(new) == ""
    clock.shift(59)
    assert call(old) == call(new) == ""
    assert renew(old).json()["code"] == "conflict"
    clock.shift(1)
    assert call(old) == "api_key_inactive"
    assert call(new) == ""


def test_a_lost_answer_is_asked_for_again(renewing: tuple[ApiKey, str], clock: Any) -> None:
    _, old = renewing
    lost = renew(old).json()["key"]
    clock.shift(23 * HOUR)
    answered = renew(old).json()["key"]
    assert call(lost) == "api_key_invalid"
    assert call(answered) == call(old) == ""
    assert ApiKey.objects.count() == 2


def test_an_old_key_ends_after_a_day_without_an_alarm(renewing: tuple[ApiKey, str], clock: Any) -> None:
    key, old = renewing
    new = renew(old).json()["key"]
    clock.shift(24 * HOUR)
    assert call(old) == "api_key_expired"
    assert call(new) == ""
    assert ApiKey.objects.get(pk=key.pk).reused_at is None
    assert deliver_emails() == []


def test_use_after_the_minute_is_refused_and_told_once(renewing: tuple[ApiKey, str], clock: Any) -> None:
    key, old = renewing
    new = renew(old).json()["key"]
    call(new)
    clock.shift(61)
    assert [call(old), call(old)] == ["api_key_inactive"] * 2
    assert call(new) == ""
    (email,) = deliver_emails()
    assert email.subject == f"API key {key.prefix} was used after it was replaced: Shop"
    assert "From: 127.0.0.1" in email.body
    assert ApiKey.objects.get(pk=key.pk).state.name == "reused"


def test_a_key_renews_itself_once_an_hour(renewing: tuple[ApiKey, str], clock: Any) -> None:
    _, old = renewing
    new = renew(old).json()["key"]
    clock.shift(59 * 60)
    refused = renew(new)
    assert (refused.status_code, refused["Retry-After"]) == (429, "60")
    clock.shift(60)
    assert renew(new).status_code == 201


def test_a_key_renews_itself_only_where_its_owner_says_so(issue: IssueKey) -> None:
    _, plaintext = issue()
    assert (renew(plaintext).status_code, renew(plaintext).json()["code"]) == (403, "permission_denied")


def test_a_leak_takes_the_keys_that_it_renewed_into(
    renewing: tuple[ApiKey, str], clock: Any, owner: User
) -> None:
    key, old = renewing
    new = renew(old).json()["key"]
    call(new)
    clock.shift(2 * HOUR)
    newest = renew(new).json()["key"]
    lifecycle.report_leaked_keys([key], by=Actor(owner))
    assert call(new) == call(newest) == "api_key_inactive"


def test_a_key_that_should_have_renewed_itself_needs_attention(
    renewing: tuple[ApiKey, str], clock: Any
) -> None:
    key, _ = renewing
    clock.shift(7 * DAY)
    assert not ApiKey.objects.in_state("renewal-due").exists()
    clock.shift(DAY)
    assert list(ApiKey.objects.in_state("renewal-due")) == [key]


def test_replaced_keys_go_after_three_months_and_leave_what_they_made(
    renewing: tuple[ApiKey, str], issue: IssueKey, clock: Any
) -> None:
    key, old = renewing
    made, _ = issue(name="Made")
    ApiKey.objects.filter(pk=made.pk).update(made_by=key)
    new = renew(old).json()
    call(new["key"])
    for days, left in ((89, 3), (2, 2)):
        clock.shift(days * DAY)
        renewal.delete_replaced_keys()
        assert ApiKey.objects.count() == left
    successor = ApiKey.objects.get(prefix=new["prefix"])
    assert ApiKey.objects.get(pk=made.pk).made_by == successor


@pytest.mark.parametrize("crash_at", range(3))
def test_a_server_that_dies_while_renewing_leaves_the_key_as_it_was(
    renewing: tuple[ApiKey, str], monkeypatch: pytest.MonkeyPatch, crash_at: int
) -> None:
    """After the old key's row, after the new one, and after the last entry of the audit log."""
    _, old = renewing
    steps = iter(range(10))
    save, record = ApiKey.save, type(AuditEntry.objects.all()).record

    def dying(original: Any) -> Any:
        def step(*args: Any, **kwargs: Any) -> Any:
            done = original(*args, **kwargs)
            if next(steps) == crash_at:
                raise KeyboardInterrupt
            return done

        return step

    with monkeypatch.context() as patch:
        patch.setattr(ApiKey, "save", dying(save))
        patch.setattr(type(AuditEntry.objects.all()), "record", dying(record))
        with pytest.raises(KeyboardInterrupt):
            renew(old)
    assert ApiKey.objects.count() == 1
    assert call(renew(old).json()["key"]) == ""


# The clients of the documentation.


def client_of(suffix: str, origin: str) -> str:
    return str(render_to_string(f"docs/examples/renew_key.{suffix}", {"origin": origin}))


def run(suffix: str, code: str, folder: Path) -> subprocess.CompletedProcess[str]:
    script = folder / f"renew_key.{suffix}"
    script.write_text(code)
    program = [sys.executable] if suffix == "py" else ["sh"]
    command = [*program, str(script), str(folder / "key")]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


@pytest.mark.once
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("suffix", ["py", "sh"])
def test_the_client_leaves_a_working_key_wherever_it_is_killed(
    live_server: Any, issue: IssueKey, tmp_path: Path, suffix: str
) -> None:
    code = client_of(suffix, live_server.url)
    lines = code.splitlines()
    first = next(number for number, line in enumerate(lines) if line.startswith(("new =", "new=")))
    for number in range(first, len(lines) + 1):
        key, plaintext = issue(renews_days=10)
        (tmp_path / "key").write_text(plaintext)
        run(suffix, "\n".join(lines[:number]), tmp_path)
        kept = (tmp_path / "key").read_text()
        # The hour between two renewals is over.
        ApiKey.objects.update(created_at=NOON - DAY)
        assert call(kept) == "", (number, lines[number - 1])
        finished = run(suffix, code, tmp_path)
        assert finished.returncode == 0, finished.stderr
        assert call((tmp_path / "key").read_text()) == ""
        assert not ApiKey.objects.filter(reused_at__isnull=False).exists()
        lifecycle.report_leaked_keys([key], by=Actor())
    for connection in connections.all():
        connection.close()
