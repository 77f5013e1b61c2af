"""Keys that renew themselves: what is answered when, how long the old one works, and who is found out."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
import yaml
from django.contrib.auth.models import User
from django.core import mail
from django.db import connection
from django.template.loader import render_to_string
from django.test import Client

from apikeys import lifecycle, renewal
from apikeys.actors import Actor
from apikeys.models import ApiKey, AuditEntry
from tests import programs
from tests.concurrency import changed_before
from tests.conftest import IssueKey, bearer, deliver_emails

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
KEYS = "/stores/267418190/settings/api-keys/"
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


def call(plaintext: str, path: str = "/v1/api-key/", **extra: Any) -> str:
    """The code of the refusal, blank for none."""
    return str(Client().get(path, headers=bearer(plaintext), **extra).json().get("code", ""))


def reused() -> list[str]:
    """The prefixes of the keys that two programs were found to hold."""
    return list(ApiKey.objects.filter(reused_at__isnull=False).values_list("prefix", flat=True))


def test_roll_answers_a_key_of_the_same_settings_and_length(renewing: tuple[ApiKey, str], clock: Any) -> None:
    old, plaintext = renewing
    clock.shift(3 * DAY)
    response = renew(plaintext)
    body = response.json()
    new = ApiKey.objects.get(prefix=body["prefix"])
    assert response.status_code == 201
    assert body["key"].startswith(f"{new.prefix}.")
    assert (new.name, new.access, new.allowed_addresses) == ("Shop", old.access, old.allowed_addresses)
    assert (new.renews_days, new.expires_at) == (10, NOON + 13 * DAY)
    assert new.renewal_due_at == NOON + 10.5 * DAY
    assert (new.predecessor, new.made_by, new.created_by) == (old, old, None)
    assert call(body["key"]) == ""
    assert [entry.sentence for entry in AuditEntry.objects.for_key(old)][:1] == [
        f"Renewed itself: replaced by {new.prefix}."
    ]
    assert deliver_emails() == []


def test_old_key_works_until_a_minute_after_the_first_use_of_the_new(
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


def test_roll_answers_another_key_for_a_lost_one(renewing: tuple[ApiKey, str], clock: Any) -> None:
    _, old = renewing
    lost = renew(old).json()["key"]
    clock.shift(23 * HOUR)
    answered = renew(old).json()["key"]
    assert call(answered) == call(old) == ""
    assert reused() == []
    # Somebody has it all the same, who is not who has asked again.
    assert call(lost) == "api_key_inactive"
    assert reused() == [lost[:7]]


def test_an_old_key_gets_ten_answers_and_then_one_an_hour(renewing: tuple[ApiKey, str], clock: Any) -> None:
    _, old = renewing
    answers = [renew(old) for _ in range(11)]
    assert [answer.status_code for answer in answers] == [201] * 10 + [429]
    clock.shift(HOUR)
    assert [renew(old).status_code for _ in range(2)] == [201, 429]


def test_another_answer_is_one_that_the_owner_of_the_first_would_give(
    renewing: tuple[ApiKey, str], owner: User
) -> None:
    _, old = renewing
    first = ApiKey.objects.get(prefix=renew(old).json()["prefix"])
    lifecycle.update_key(first, by=Actor(owner), version=1, allowed_addresses=["127.0.0.1"])
    second = ApiKey.objects.get(prefix=renew(old).json()["prefix"])
    assert second.allowed_addresses == ["127.0.0.1"]
    rolled, _ = lifecycle.roll_key(second, by=Actor(owner), overlap=HOUR)
    assert "renewed itself already" in renew(old).json()["error"]
    assert ApiKey.objects.latest("pk") == rolled


def test_another_answer_is_refused_where_the_first_was_deactivated(
    renewing: tuple[ApiKey, str], owner: User
) -> None:
    _, old = renewing
    first = ApiKey.objects.get(prefix=renew(old).json()["prefix"])
    lifecycle.deactivate_key(first, by=Actor(owner))
    assert renew(old).json()["code"] == "conflict"
    assert not ApiKey.objects.usable().filter(predecessor__isnull=False).exists()


def test_confirm_renewal_leaves_a_key_that_was_given_up_while_it_was_looked_up(
    renewing: tuple[ApiKey, str],
) -> None:
    key, old = renewing
    lost = ApiKey.objects.get(prefix=renew(old).json()["prefix"])
    renew(old)
    renewal.confirm_renewal(lost)
    assert ApiKey.objects.get(pk=key.pk).replaced_at is None


def test_a_new_key_that_is_given_up_after_it_was_looked_up_is_refused(renewing: tuple[ApiKey, str]) -> None:
    key, old = renewing
    lost = renew(old).json()["key"]
    with changed_before(2, lambda: renewal.renew_key(key, by=Actor(key=key))):
        assert call(lost) == "api_key_inactive"


def test_old_key_ends_after_a_day_without_an_alarm(renewing: tuple[ApiKey, str], clock: Any) -> None:
    key, old = renewing
    new = renew(old).json()["key"]
    clock.shift(24 * HOUR)
    assert call(old) == "api_key_expired"
    assert call(new) == ""
    assert ApiKey.objects.get(pk=key.pk).reused_at is None
    assert deliver_emails() == []


def test_report_reuse_refuses_and_tells_once(renewing: tuple[ApiKey, str], clock: Any) -> None:
    key, old = renewing
    new = renew(old).json()["key"]
    call(new)
    clock.shift(61)
    assert [call(old), call(old)] == ["api_key_inactive"] * 2
    assert call(new) == ""
    (email,) = deliver_emails()
    assert email.subject == f"API key {key.prefix} was used after it was replaced: Shop"
    assert "From: 127.0.0.1" in email.body
    assert "Access now: none" in email.body
    assert f"Open the incident sheet: http://testserver{KEYS}{key.prefix}/incident/" in email.body
    reused_key = ApiKey.objects.get(pk=key.pk)
    assert reused_key.state.name == "reused"
    assert reused_key.version == AuditEntry.objects.for_key(key).count()


@pytest.mark.parametrize("how", ["unknown path", "other address", "without HTTPS", "over its limit"])
def test_use_after_the_minute_is_told_whatever_else_is_wrong_with_it(
    renewing: tuple[ApiKey, str], clock: Any, settings: Any, how: str
) -> None:
    key, old = renewing
    call(renew(old).json()["key"])
    clock.shift(61)
    settings.SECURE_SSL_REDIRECT = how == "without HTTPS"
    settings.RATE_LIMIT_PER_KEY = 0 if how == "over its limit" else 100
    path = "/v1/nowhere/" if how == "unknown path" else "/v1/api-key/"
    extra = {"REMOTE_ADDR": "203.0.113.7"} if how == "other address" else {}
    assert call(old, path, **extra)
    assert reused() == [key.prefix]


def test_roll_is_refused_within_an_hour(renewing: tuple[ApiKey, str], clock: Any) -> None:
    _, old = renewing
    new = renew(old).json()["key"]
    clock.shift(59 * 60)
    refused = renew(new)
    assert (refused.status_code, refused["Retry-After"]) == (429, "60")
    clock.shift(60)
    assert renew(new).status_code == 201


def test_roll_is_refused_where_the_owner_has_not_allowed_it(plaintext: str) -> None:
    assert (renew(plaintext).status_code, renew(plaintext).json()["code"]) == (403, "permission_denied")


def test_report_leaked_keys_ends_the_renewed_keys(
    renewing: tuple[ApiKey, str], clock: Any, owner: User
) -> None:
    key, old = renewing
    new = renew(old).json()["key"]
    call(new)
    clock.shift(2 * HOUR)
    newest = renew(new).json()["key"]
    lifecycle.report_leaked_keys([key], by=Actor(owner))
    assert call(new) == call(newest) == "api_key_inactive"


def test_delete_replaced_keys_after_three_months(
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


class Killed(BaseException):
    """The process of the server ends between two statements."""


@contextmanager
def killed_after(statement: int) -> Iterator[list[str]]:
    """Let the process of a request end after so many statements that may change something; yields them."""
    ran: list[str] = []

    def run(execute: Any, sql: str, params: Any, many: Any, context: Any) -> Any:
        result = execute(sql, params, many, context)
        if not sql.startswith(("SELECT", "SAVEPOINT")):
            ran.append(sql)
            if len(ran) == statement:
                raise Killed
        return result

    with connection.execute_wrapper(run), suppress(Killed):
        yield ran


def test_a_server_killed_between_any_two_statements_leaves_a_key_that_works(
    issue: IssueKey, clock: Any
) -> None:
    """The program repeats what it got no answer to. Whatever is done twice, is told once."""
    statement, longest = 0, 1

    def killed(action: Any, plaintext: str) -> Any:
        nonlocal longest
        with killed_after(statement) as ran:
            action(plaintext)
        longest = max(longest, len(ran))
        return action(plaintext)

    while statement <= longest:
        statement += 1
        _, old = issue(renews_days=10)
        new = killed(renew, old).json()["key"]
        assert killed(call, new) == call(old) == ""
        assert reused() == []
        clock.shift(61)
        assert killed(call, old) == "api_key_inactive"
        assert call(new) == ""
        assert reused() == [old[:7]]
        told = [email for email in deliver_emails() if "after it was replaced" in email.subject]
        assert len(told) == 1
        mail.outbox.clear()
        ApiKey.objects.all().delete()
    assert longest > 10


# The clients of the documentation.


def example(suffix: str, origin: str) -> str:
    return str(render_to_string(f"docs/examples/renew_key.{suffix}", {"origin": origin}))


def run(command: list[str], **environment: str) -> subprocess.CompletedProcess[str]:
    variables = {"PATH": os.environ["PATH"], **environment}
    return subprocess.run(command, env=variables, capture_output=True, text=True, timeout=60, check=False)


def run_sh(text: str, file: Path) -> bool:
    """Run a shell script that may be cut off; whether it has done all it should."""
    return run(["sh", "-c", text, "sh", str(file)]).returncode == 0


def run_py(text: str, file: Path) -> bool:
    """Do the same with a Python script, in this process, which is faster."""
    names: dict[str, Any] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["renew_key.py", str(file)])
        exec(text, names)  # noqa: S102  # what our own documentation shows
    # The lock that a process gives back as it ends.
    os.close(names["folder"])
    return True


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("suffix", "run_text"), [("py", run_py), ("sh", run_sh)])
def test_clients_of_the_guide_keep_a_working_key_wherever_they_are_killed(
    live_server: Any, issue: IssueKey, tmp_path: Path, suffix: str, run_text: Any
) -> None:
    file = tmp_path / "key"
    lines = example(suffix, live_server.url).splitlines()
    first = next(number for number, line in enumerate(lines) if line.startswith(("new =", "new=")))
    for number in range(first, len(lines) + 1):
        key, plaintext = issue(renews_days=10)
        file.write_text(plaintext)
        run_text("\n".join(lines[:number]), file)
        # The hour between two renewals is over.
        ApiKey.objects.update(created_at=NOON - DAY)
        assert call(file.read_text()) == "", (number, lines[number - 1])
        assert run_text("\n".join(lines), file)
        assert call(file.read_text()) == ""
        assert reused() == []
        lifecycle.report_leaked_keys([key], by=Actor())
    connection.close()


@pytest.mark.django_db(transaction=True)
def test_the_workflow_renews_the_secret_and_keeps_it_where_that_fails(
    live_server: Any, issue: IssueKey, tmp_path: Path
) -> None:
    if not (shutil.which("jq") and shutil.which("curl")):
        programs.skip("The workflow takes jq and curl.")
    _, plaintext = issue(renews_days=10)
    secret = tmp_path / "secret"
    secret.write_text(plaintext)
    (tmp_path / "gh").write_text(f'#!/bin/sh\necho "$@" >{tmp_path}/asked\ncat >{secret}\n')
    (tmp_path / "gh").chmod(0o755)
    (step,) = yaml.safe_load(example("yml", live_server.url))["jobs"]["renew"]["steps"]
    assert step["shell"] == "bash"

    def work() -> subprocess.CompletedProcess[str]:
        shell = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]]
        return run(
            shell,
            PATH=f"{tmp_path}:{os.environ['PATH']}",
            REFLOW_API_KEY=secret.read_text(),
            GITHUB_REPOSITORY="northwood/shop",
        )

    done = work()
    renewed = secret.read_text()
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"::add-mask::{renewed}\n"
    assert (tmp_path / "asked").read_text() == "secret set REFLOW_API_KEY --repo northwood/shop\n"
    assert renewed != plaintext
    assert call(renewed) == ""
    # Within the hour: the secret stays as it is.
    assert work().returncode != 0
    assert secret.read_text() == renewed
    connection.close()
