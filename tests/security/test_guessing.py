"""Guessing a key: few tries, and nothing to learn from a failed one, not even how long it took.

Two guesses that make the very same calls, in Python and of the database, have nothing to differ in.
"""

import gc
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apikeys import key_text, lifecycle
from apikeys.actors import Actor
from tests.conftest import IssueKey, bearer

Guess = Callable[[str], Any]

API_KEY = "/v1/api-key/"


def present(guess: str) -> Any:
    """Use a key."""
    return Client().get(API_KEY, headers=bearer(guess))


def hand_in(guess: str) -> Any:
    """Report a key as leaked."""
    return Client().post("/v1/api-keys/revoke/", {"keys": [guess]}, "application/json")


each_way = pytest.mark.parametrize("way", [present, hand_in])


@pytest.fixture
def guesses(issue: IssueKey, settings: Any) -> dict[str, str]:
    """Keys that are wrong, by what is wrong with them."""
    settings.RATE_LIMIT_FAILED_KEYS = settings.RATE_LIMIT_REVOCATIONS = 10**6
    _, plaintext = issue()
    inactive, of_inactive = issue()
    lifecycle.deactivate_key(inactive, by=Actor(inactive.created_by))
    return {
        "the prefix": key_text.generate()[1],
        "the secret": plaintext[: key_text.PREFIX_LENGTH] + key_text.generate()[1][key_text.PREFIX_LENGTH :],
        "the last character": plaintext[:-1] + ("0" if plaintext[-1] != "0" else "1"),
        "the secret of a key that is off": of_inactive[:-1] + ("0" if of_inactive[-1] != "0" else "1"),
    }


def calls_of(way: Guess, guess: str) -> Counter[tuple[str, str, str]]:
    """Every function that is called on the way to the answer, in Python or C, and how often."""
    calls: Counter[tuple[str, str, str]] = Counter()

    def note(frame: FrameType, event: str, argument: Any) -> None:
        if frame.f_code.co_qualname.startswith("Signal.connect"):
            return  # the test client's own: how much it does depends on receivers that are gone
        if event == "call":
            calls[event, frame.f_code.co_filename, frame.f_code.co_qualname] += 1
        elif event == "c_call":
            calls[event, str(getattr(argument, "__module__", "")), argument.__qualname__] += 1

    sys.setprofile(note)
    try:
        way(guess)
    finally:
        sys.setprofile(None)
    return calls


@pytest.fixture
def no_garbage() -> Iterator[None]:
    """Nothing is collected, and finalized, in the middle of something else."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@each_way
@pytest.mark.usefixtures("no_garbage", "within_a_minute")
def test_a_wrong_secret_takes_the_very_steps_of_an_unknown_prefix(
    way: Guess, guesses: dict[str, str]
) -> None:
    for guess in [*guesses.values()] * 3:
        way(guess)  # what is done once in a process is done, and PostgreSQL has a plan
    unknown, *others = guesses.values()
    calls = calls_of(way, unknown)
    assert calls["c_call", "_hashlib", "openssl_sha256"] == 1
    for guess in others:
        assert calls_of(way, guess) - calls == Counter()
        assert calls - calls_of(way, guess) == Counter()


@each_way
def test_the_database_is_asked_one_question_and_finds_nothing(way: Guess, guesses: dict[str, str]) -> None:
    asked = []
    for guess in guesses.values():
        with CaptureQueriesContext(connection) as queries:
            way(guess)
        (query,) = queries
        sql = query["sql"].replace(guess[: key_text.PREFIX_LENGTH], "?").replace(key_text.digest(guess), "?")
        asked.append(sql)
        with connection.cursor() as cursor:
            cursor.execute(query["sql"])
            assert cursor.fetchall() == []
    assert len(set(asked)) == 1


@each_way
def test_all_wrong_keys_get_one_answer(way: Guess, guesses: dict[str, str]) -> None:
    def told(guess: str) -> tuple[Any, ...]:
        answer = way(guess)
        body = {name: value for name, value in answer.json().items() if name != "request_id"}
        headers = {
            name: value
            for name, value in answer.headers.items()
            # The request id is in the body too, and so in its ETag.
            if not name.startswith(("X-Request-Id", "ETag", "RateLimit"))
        }
        return answer.status_code, body, headers

    first, *others = [told(guess) for guess in guesses.values()]
    assert others == [first] * len(others)


@pytest.mark.django_db
@pytest.mark.usefixtures("within_a_minute")
def test_a_network_of_addresses_has_no_more_guesses_than_one(settings: Any) -> None:
    """A provider gives every customer 2**64 addresses of IPv6."""
    settings.RATE_LIMIT_FAILED_KEYS = 3
    addresses = "2001:db8::1", "2001:db8::2", "2001:db8:0:0:ffff::1", "2001:db8::4", "2001:db8:0:1::1"
    answers = [
        Client().get(API_KEY, headers=bearer(key_text.generate()[1]), REMOTE_ADDR=address)
        for address in addresses
    ]
    codes = [answer.json()["code"] for answer in answers]
    assert codes == ["api_key_invalid"] * 3 + ["rate_limited", "api_key_invalid"]
