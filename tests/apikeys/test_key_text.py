import hashlib
import re

import pytest

from apikeys import key_text


def test_generate_makes_a_key_of_the_published_format() -> None:
    prefix, plaintext = key_text.generate()
    assert re.fullmatch(r"[0-9a-f]{7}\.[0-9a-f]{27}", plaintext)
    assert plaintext.startswith(f"{prefix}.")


def test_generate_makes_no_two_keys_alike() -> None:
    assert len({key_text.generate()[1] for _ in range(1000)}) == 1000


def test_digest_is_sha_256_of_the_whole_key() -> None:
    _, plaintext = key_text.generate()
    assert key_text.digest(plaintext) == hashlib.sha256(plaintext.encode()).hexdigest()
    assert len(key_text.digest(plaintext)) == key_text.DIGEST_LENGTH


@pytest.mark.parametrize(
    ("typed", "prefix"),
    [
        ("19656ea", "19656ea"),
        ("  19656EA ", "19656ea"),
        ("19656ea.", "19656ea"),
        ("19656ea.4329f04826e125f1ee999b53f78", "19656ea"),
        ("19656ea.••••••••", "19656ea"),
        ("Bearer 19656ea.4329f04826e125f1ee999b53f78", "19656ea"),
        ("'19656EA.4329f04826e125f1ee999b53f78'", "19656ea"),
        ("19656e", None),
        ("19656eaa", None),
        ("warehouse", None),
        ("", None),
        ("19656eg", None),
        ("19656ea.zzz", None),
    ],
)
def test_find_prefix_finds_it_in_whatever_people_paste(typed: str, prefix: str | None) -> None:
    assert key_text.find_prefix(typed) == prefix


KEY = "19656ea.4329f04826e125f1ee999b53f78"


@pytest.mark.parametrize(
    "text",
    [
        KEY,
        f"ERP {KEY.upper()}!",
        KEY[:20],
        KEY.replace(".", "%2e"),
        KEY.replace(".", "%25252E"),
        f"1234567.abcdef0{KEY}",
    ],
)
def test_contains_key_finds_a_key_or_most_of_one(text: str) -> None:
    assert key_text.contains_key(text)


@pytest.mark.parametrize(
    "text",
    [
        f"Bearer {KEY}",
        f'"{KEY}"',
        f"https://api.reflowhq.com/v1/api-key/?key={KEY.replace('.', '%252E')}&page=1",
        KEY.upper(),
        f"1234567.abcdef0{KEY}",
        f"{KEY}abc",
    ],
)
def test_find_keys_finds_a_whole_key_in_any_text(text: str) -> None:
    assert key_text.find_keys(f"{text} and {KEY[:20]}") == {KEY}


@pytest.mark.parametrize(
    "text",
    ["19656ea", "19656ea.••••••••", "19656ea.4329f04", "a defaced. Added deed", "3.14159", "", "100%2e"],
)
def test_contains_key_finds_nothing_in_other_texts(text: str) -> None:
    assert not key_text.contains_key(text)


@pytest.mark.parametrize("dot", [".", "%2e", "%252e", "%25252E"])
def test_hide_secrets_hides_a_secret_however_often_it_is_encoded(dot: str) -> None:
    hidden = key_text.hide_secrets(f"1234567.abcdef0{KEY.replace('.', dot)}, {KEY[:16]}")
    assert hidden == "1234567.[hidden].[hidden], 19656ea.[hidden]"


@pytest.mark.parametrize(
    ("typed", "term"),
    [
        (f"curl --header 'Authorization: Bearer {KEY}' 'https://api.reflowhq.com/v1/api-key/'", "19656ea"),
        ("x" * 1000 + KEY, "19656ea"),
        (" Zu\u0308rich\0 ", "Zürich"),
        ("x" * 101, "x" * 100),
    ],
)
def test_search_term_is_a_pasted_keys_prefix_or_the_text_cut(typed: str, term: str) -> None:
    assert key_text.search_term(typed) == term
