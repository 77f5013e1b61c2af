"""Commands of operators: find, revoke, suspend and resume."""

import io
import sys
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

import manage
from apikeys import lifecycle
from apikeys.actors import Actor
from apikeys.models import ApiKey, AuditEntry
from apikeys.models.suspension import Suspension
from stores.models import Store
from tests.conftest import IssueKey, deliver_emails, make_owner

REASON = "Customers were read from a thousand addresses."


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
    """The name of whoever changed a key of the store last, and what was done."""
    entry = AuditEntry.objects.filter(store=store)[0]
    return entry.actor_name, entry.sentence


# Finding.


def test_find_keys_names_whole_keys_and_their_stores(issue: IssueKey, other_store: Store) -> None:
    (masked, _), (key, plaintext) = issue(), issue(name="Théo’s", store=other_store)
    lines = run("find_keys", stdin=f"{masked.masked}\nAuthorization: Bearer {plaintext}\n")
    assert lines == [f"{key.prefix} of Southwood (518203746), Théo’s: Working"]


def test_find_keys_reads_a_file_whatever_bytes_it_holds(key: ApiKey, plaintext: str, tmp_path: Path) -> None:
    leak = tmp_path / "leak"
    for content in (
        b"\xff\x00\xfe " + plaintext.encode() + b" \x80",
        f"Bearer {plaintext}\n".encode("utf-16"),
        b"\xfe\xff" + plaintext.encode("utf-16-be") + b"\x00",
    ):
        leak.write_bytes(content)
        for lines in (run("find_keys", str(leak)), run("find_keys", stdin=content)):
            assert key.prefix in lines[0]
            assert plaintext[8:] not in str(lines)


def test_find_keys_asks_for_many_keys_in_several_queries(
    key: ApiKey, plaintext: str, django_assert_num_queries: Any
) -> None:
    others = " ".join(f"{number}{plaintext[7:]}" for number in range(1_000_000, 1_001_200))
    with django_assert_num_queries(3):
        assert ApiKey.objects.in_leak(f"{others} {plaintext}") == [key]


def test_find_keys_fails_where_there_is_none(issue: IssueKey) -> None:
    issue()
    assert refusal("find_keys", stdin="nothing of ours") == "There is no whole key of this site in it."


@pytest.mark.parametrize(
    "command",
    [
        ("find_keys",),
        ("resume_keys",),
        ("suspend_keys", "--reason", REASON),
        ("revoke_keys", "--prefix", "0000000", "--by"),
    ],
)
def test_commands_print_no_key_that_was_typed(command: tuple[str, ...], plaintext: str) -> None:
    assert plaintext[8:] not in refusal(*command, plaintext)
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


def test_revoke_keys_ends_none_where_one_prefix_is_unknown(key: ApiKey) -> None:
    line = refusal("revoke_keys", "--prefix", key.prefix, "0000000")
    assert line == "There is no key with the prefix 0000000."
    assert refusal("revoke_keys", "--prefix", "warehouse") == "There is no key with the prefix warehouse."
    assert ApiKey.objects.usable().exists()


# Suspending.


def test_suspend_keys_and_resume_keys_do_what_the_page_does(
    issue: IssueKey, store: Store, owner: User, by: str
) -> None:
    working, off = issue()[0], issue()[0]
    lifecycle.deactivate_key(off, by=Actor(owner))
    assert run("suspend_keys", "267418190", "--reason", REASON, "--by", by.upper()) == [
        "All keys of Northwood are suspended."
    ]
    assert not ApiKey.objects.usable().exists()
    assert last_change(store) == (by, f"Suspended all API keys: {REASON}")
    assert run("resume_keys", "267418190") == ["The keys of Northwood are resumed."]
    assert list(ApiKey.objects.usable()) == [working]
    assert last_change(store) == ("Reflow", "Resumed all API keys.")


def test_suspend_keys_and_resume_keys_say_what_is_so_already(issue: IssueKey, store: Store) -> None:
    assert refusal("resume_keys", "267418190") == "The keys of Northwood are not suspended."
    run("suspend_keys", "267418190", "--reason", REASON)
    assert (
        refusal("suspend_keys", "267418190", "--reason", "Again")
        == "The keys of Northwood are suspended already."
    )
    assert Suspension.objects.get().reason == REASON


@pytest.mark.parametrize("reason", ["", "x" * 201, "19656ea.4329f04826e125f1ee999b53f78 was found"])
def test_suspend_keys_refuses_a_reason(issue: IssueKey, store: Store, reason: str) -> None:
    assert refusal("suspend_keys", "267418190", "--reason", reason).startswith("The reason will not do: ")
    assert not Suspension.objects.exists()


# What cannot be done.


@pytest.mark.parametrize("number", ["267418191", "x", "9" * 30, "-1", "²"])
@pytest.mark.parametrize("command", ["resume_keys", "suspend_keys --reason x"])
def test_commands_say_in_a_line_that_a_store_is_unknown(db: None, command: str, number: str) -> None:
    name, *options = command.split()
    assert refusal(name, *options, "--", number) == f"There is no store {number}."


def test_revoke_keys_takes_only_an_operator_as_by(plaintext: str, owner: User) -> None:
    for email in (owner.email, "nobody@example.com"):
        assert refusal("revoke_keys", "--by", email, stdin=plaintext) == f"There is no operator {email}."
    assert ApiKey.objects.usable().exists()


def test_find_keys_says_in_a_line_that_a_file_cannot_be_read() -> None:
    assert refusal("find_keys", "no-such-file") == (
        "no-such-file cannot be read: No such file or directory. "
        "What your shell may read can be sent with < no-such-file"
    )


def test_a_name_that_the_terminal_cannot_show_is_escaped(
    issue: IssueKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, plaintext = issue(name="Łódź 店舗")
    printed = io.BytesIO()
    stdout = io.TextIOWrapper(printed, encoding="latin-1", write_through=True)
    with monkeypatch.context() as terminal:
        terminal.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(plaintext.encode())))
        terminal.setattr(sys, "stdout", stdout)
        terminal.setattr(sys, "argv", ["manage.py", "find_keys", "-"])
        manage.main()
    assert key.prefix.encode() in printed.getvalue()
    assert b"\\u5e97\\u8217" in printed.getvalue()
