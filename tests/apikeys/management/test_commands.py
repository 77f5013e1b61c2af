"""What operators do in a browser, at night on a terminal: the same verbs, the same history, the same care."""

import io
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import OperationalError
from django.utils import timezone

from apikeys import lifecycle
from apikeys.actors import Actor
from apikeys.models import ApiKey, ApiKeyUsage, AuditEntry, LastUse, StoreUsage
from apikeys.models.suspension import Suspension
from apikeys.usage import writer
from apikeys.usage.batch import Batch
from stores.models import Store
from tests.conftest import IssueKey, deliver_emails, make_owner
from tests.key_requests import NOON, make_request

REASON = "Customers were read from a thousand addresses."
COMMANDS = (
    "find_keys",
    "key_history",
    "key_requests",
    "key_usage",
    "list_keys",
    "resume_keys",
    "revoke_keys",
    "suspend_keys",
)


@pytest.fixture
def by(db: None) -> str:
    """The address of an operator."""
    operator = make_owner("operator@example.com")
    User.objects.filter(pk=operator.pk).update(is_staff=True)
    return operator.email


def run(*command: str, stdin: str | bytes = "") -> list[str]:
    """The lines that a command prints, as it would be typed."""
    output = io.StringIO()
    given = stdin.encode() if isinstance(stdin, str) else stdin
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(given)))
        call_command(*command, stdout=output)
    return output.getvalue().splitlines()


def refusal(*command: str, stdin: str = "") -> str:
    """The one line with which a command gives up."""
    with pytest.raises(CommandError) as refused:
        run(*command, stdin=stdin)
    line = str(refused.value)
    assert refused.value.returncode == 1
    assert "\n" not in line
    return line


def last_change(store: Store) -> tuple[str, str]:
    """Who changed a key of the store last, and what was done."""
    entry = AuditEntry.objects.for_store(store)[0]
    return entry.actor_name, entry.sentence


# Finding.


def test_find_keys_tells_whole_keys_from_prefixes(issue: IssueKey, other_store: Store) -> None:
    whole, plaintext = issue(name="Shop")
    masked, _ = issue(name="Théo’s", store=other_store)
    lines = run("find_keys", stdin=f"{masked.masked}\nAuthorization: Bearer {plaintext}\n")
    assert lines == [
        "PREFIX   STORE      STORE'S NAME  KEY'S NAME  STATUS   IN IT",
        f"{whole.prefix}  267418190  Northwood     Shop        Working  the whole key",
        f"{masked.prefix}  518203746  Southwood     Théo’s      Working  its prefix",
    ]


def test_find_keys_reads_a_file_whatever_bytes_it_holds(issue: IssueKey, tmp_path: Path) -> None:
    key, plaintext = issue()
    leak = tmp_path / "leak"
    for content in (
        b"\xff\x00\xfe " + plaintext.encode() + b" \x80",
        f"Bearer {plaintext}\n".encode("utf-16"),
        b"\xfe\xff" + plaintext.encode("utf-16-be") + b"\x00",
    ):
        leak.write_bytes(content)
        for lines in (run("find_keys", str(leak)), run("find_keys", stdin=content)):
            assert (key.prefix in lines[1], lines[1].endswith("the whole key")) == (True, True)
            assert plaintext[8:] not in str(lines)


def test_find_keys_fails_where_there_is_none(issue: IssueKey) -> None:
    issue()
    assert refusal("find_keys", stdin="nothing of ours") == "There is no key of this site in it."


@pytest.mark.parametrize("command", COMMANDS)
def test_a_key_on_the_command_line_is_refused_and_not_repeated(command: str, issue: IssueKey) -> None:
    _, plaintext = issue()
    extra = ("--reason", REASON) if command == "suspend_keys" else ()
    line = refusal(command, plaintext, *extra)
    assert line.startswith("There is a key on the command line")
    assert plaintext[8:] not in line
    assert ApiKey.objects.usable().exists()


# Ending.


def test_revoke_keys_ends_the_whole_keys_in_any_text(issue: IssueKey, by: str) -> None:
    (key, plaintext), (masked, _) = issue(), issue()
    deliver_emails().clear()
    text = f"+ KEY={plaintext}\n- {masked.masked}\n"
    lines = run("revoke_keys", "--by", by, stdin=text)
    assert lines == [f"{key.prefix} of Northwood is deactivated for good."]
    assert list(ApiKey.objects.usable()) == [masked]
    assert last_change(key.store) == (by, "Deactivated for good: reported as leaked by an operator.")
    assert len(deliver_emails()) == 1
    assert run("revoke_keys", stdin=text) == [f"{key.prefix} of Northwood was already deactivated for good."]


def test_revoke_keys_takes_prefixes_where_the_rest_is_not_known(issue: IssueKey) -> None:
    (first, _), (second, _), (third, _) = issue(), issue(), issue()
    run("revoke_keys", "--prefix", first.prefix, second.masked)
    assert list(ApiKey.objects.usable()) == [third]
    assert last_change(first.store)[0] == "Reflow"


def test_one_prefix_that_does_not_exist_ends_none(issue: IssueKey) -> None:
    key, _ = issue()
    line = refusal("revoke_keys", "--prefix", key.prefix, "0000000")
    assert line == "There is no key with the prefix 0000000."
    assert ApiKey.objects.usable().exists()


# Suspending.


def test_suspend_keys_and_resume_keys_do_what_the_page_does(
    issue: IssueKey, store: Store, owner: User, by: str
) -> None:
    working, off = issue()[0], issue()[0]
    lifecycle.deactivate_key(off, by=Actor(owner))
    assert run("suspend_keys", "267418190", "--reason", REASON, "--by", by.upper()) == [
        "All keys of Northwood are suspended: 2."
    ]
    assert not ApiKey.objects.usable().exists()
    assert last_change(store) == (by, f"Suspended all API keys: {REASON}")
    assert run("resume_keys", "267418190") == ["The keys of Northwood are resumed; working now: 1."]
    assert list(ApiKey.objects.usable()) == [working]
    assert last_change(store) == ("Reflow", "Resumed all API keys.")


def test_suspending_twice_and_resuming_what_works_is_said(issue: IssueKey, store: Store) -> None:
    assert refusal("resume_keys", "267418190") == "The keys of Northwood are not suspended."
    run("suspend_keys", "267418190", "--reason", REASON)
    assert (
        refusal("suspend_keys", "267418190", "--reason", "Again")
        == "The keys of Northwood are suspended already."
    )
    assert Suspension.objects.get().reason == REASON


@pytest.mark.parametrize("reason", ["", "x" * 201, "19656ea.4329f04826e125f1ee999b53f78 was found"])
def test_a_reason_that_will_not_do_suspends_nothing(issue: IssueKey, store: Store, reason: str) -> None:
    assert refusal("suspend_keys", "267418190", "--reason", reason).startswith("The reason will not do: ")
    assert not Suspension.objects.exists()


# Looking.


@pytest.fixture
def used(issue: IssueKey, store: Store) -> ApiKey:
    """A key that was used today."""
    key, _ = issue(name="Warehouse sync", access=["orders:write"])
    now = timezone.now()
    LastUse.objects.create(key=key, at=now, method="GET", resource="orders", status_code=200)
    for outcome, requests in (("succeeded", 40), ("refused", 2)):
        ApiKeyUsage.objects.create(
            key=key, date=now.date(), resource="orders", outcome=outcome, requests=requests, last_at=now
        )
        StoreUsage.objects.create(store=store, date=now.date(), outcome=outcome, requests=requests + 100)
    return key


def test_list_keys_shows_what_they_are_and_did(used: ApiKey, issue: IssueKey, store: Store, by: str) -> None:
    fresh, _ = issue(name="Fresh")
    at = f"{used.last_use.at:%Y-%m-%d %H:%M}"
    assert run("list_keys", "267418190") == [
        "PREFIX   NAME            STATUS            REQUESTS  REFUSED  LAST USED (UTC)   ACCESS",
        f"{used.prefix}  Warehouse sync  Requests refused        42        2  {at}  orders:read orders:write",
        f"{fresh.prefix}  Fresh           Working                  0        0  never             orders:read",
    ]
    run("suspend_keys", "267418190", "--reason", REASON)
    lines = run("list_keys", "267418190")
    assert lines[0].startswith("Suspended since ")
    assert lines[0].endswith(REASON)
    assert all("Off" in line for line in lines[2:])


def test_key_usage_is_by_day_and_resource(used: ApiKey) -> None:
    today = timezone.now().date()
    assert run("key_usage", used.prefix) == [
        "DAY         SUCCEEDED  REFUSED  FAILED",
        f"{today}         40        2       0",
        "30 days            40        2       0",
        "",
        "RESOURCE  SUCCEEDED  REFUSED  FAILED",
        "orders           40        2       0",
    ]
    assert run("key_usage", "--store", "267418190")[-1] == "30 days           140      102       0"


def test_key_history_outlives_the_key(used: ApiKey, owner: User, issue: IssueKey) -> None:
    issue(name=f"Not ({used.prefix})")
    lifecycle.deactivate_key(used, by=Actor(owner))
    lifecycle.delete_key(used, by=Actor(owner))
    lines = run("key_history", used.prefix)
    assert [line.split("  ")[-1] for line in lines] == [
        "WHAT",
        "Deleted.",
        "Deactivated.",
        "Created with orders:read, orders:write.",
    ]
    assert all("owner@example.com" in line for line in lines[1:])
    of_store = run("key_history", "--store", "267418190")
    assert f"Warehouse sync ({used.prefix})" in of_store[1]
    assert of_store[1].endswith("Deleted.")


def test_names_do_not_move_the_cursor(issue: IssueKey) -> None:
    key, _ = issue()
    ApiKey.objects.filter(pk=key.pk).update(name="a\x1b[2Jb\u202ec")
    (_, line) = run("list_keys", "267418190")
    assert line.startswith(f"{key.prefix}  a?[2Jb?c  Working")


# What cannot be done.


@pytest.mark.parametrize("number", ["267418191", "x", "9" * 30, "-1", "²"])
@pytest.mark.parametrize("command", ["list_keys", "resume_keys", "suspend_keys --reason x"])
def test_an_unknown_store_is_one_line(db: None, command: str, number: str) -> None:
    name, *options = command.split()
    assert refusal(name, *options, "--", number) == f"There is no store {number}."


@pytest.mark.parametrize("command", ["key_usage", "key_history"])
def test_an_unknown_prefix_is_one_line(db: None, command: str) -> None:
    assert refusal(command, "0000000") in {"There is no key with the prefix 0000000.", "Nothing is recorded."}
    assert refusal(command, "warehouse").startswith("warehouse is no prefix")
    assert refusal(command, "--store", "1") == "There is no store 1."
    with pytest.raises(CommandError, match="one of the arguments prefix --store is required"):
        run(command)


def test_nobody_acts_in_the_name_of_somebody_who_is_no_operator(issue: IssueKey, owner: User) -> None:
    _, plaintext = issue()
    for email in (owner.email, "nobody@example.com"):
        assert refusal("revoke_keys", "--by", email, stdin=plaintext) == f"There is no operator {email}."
    assert ApiKey.objects.usable().exists()


def test_a_file_that_cannot_be_read_is_one_line() -> None:
    assert refusal("find_keys", "no-such-file") == (
        "no-such-file cannot be read: No such file or directory. "
        "What your shell may read can be sent with < no-such-file"
    )


def test_a_database_that_is_away_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(number: str) -> Store:
        raise OperationalError("connection refused\n\tIs the server running?")

    monkeypatch.setattr("apikeys.management.commands.list_keys.store_of", away)
    assert (
        refusal("list_keys", "267418190")
        == "The database cannot be used: connection refused Is the server running?"
    )


@pytest.fixture
def logged(used: ApiKey) -> ApiKey:
    """A key with two requests in the log, the newer one refused."""
    batch = Batch(uuid4(), 1)
    batch.add_to_log(make_request(used, client="curl/8\u202e"))
    batch.add_to_log(
        make_request(used, at=NOON + timedelta(hours=1), status_code=401, reason="api_key_expired")
    )
    batch.add(batch.log[0])
    writer.write(batch)
    return used


def test_the_requests_of_a_key_or_a_store_are_shown_the_newest_first(logged: ApiKey) -> None:
    of_key = run("key_requests", logged.prefix)
    assert of_key == run("key_requests", "--store", "267418190")
    assert [line.split()[0] for line in of_key] == ["WHEN", "2026-11-23", "2026-11-23"]
    assert "api_key_expired" in of_key[1]
    assert "curl/8?" in of_key[2]


def test_only_errors_or_only_so_many_requests_are_shown(logged: ApiKey) -> None:
    newest = run("key_requests", logged.prefix)[:2]
    assert [line.split() for line in run("key_requests", logged.prefix, "--errors")] == [
        line.split() for line in newest
    ]
    assert len(run("key_requests", logged.prefix, "--limit", "1")) == 2


def test_a_key_without_requests_in_the_log_is_told_so(used: ApiKey) -> None:
    assert refusal("key_requests", used.prefix) == "No request is in the request log."
