import hashlib
import re

import pytest

from apikeys import key_text


def test_a_key_has_the_published_format() -> None:
    prefix, plaintext = key_text.generate()
    assert re.fullmatch(r"[0-9a-f]{7}\.[0-9a-f]{27}", plaintext)
    assert plaintext.startswith(f"{prefix}.")


def test_no_two_keys_are_alike() -> None:
    assert len({key_text.generate()[1] for _ in range(1000)}) == 1000


def test_the_digest_is_sha_256_of_the_whole_key() -> None:
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
def test_a_prefix_is_found_in_whatever_people_paste(typed: str, prefix: str | None) -> None:
    assert key_text.find_prefix(typed) == prefix


KEY = "19656ea.4329f04826e125f1ee999b53f78"


@pytest.mark.parametrize(
    "text",
    [
        KEY,
        f"ERP {KEY.upper()}!",
        KEY[:20],
        "１９６５６ｅａ.４３２９ｆ０４８２６ｅ１２５ｆ１ｅｅ９９９ｂ５３ｆ７８",
        KEY.replace(".", "。"),
        KEY.replace(".", "．"),
        KEY.replace(".", " ."),
        KEY.replace(".", ".\u200b"),
        f"{KEY[:7]} . {KEY[8:20]} {KEY[20:]}",
        KEY.replace(".", "%2e"),
        KEY.replace(".", "%252E"),
    ],
)
def test_a_key_is_found_however_it_is_spelled(text: str) -> None:
    assert key_text.contains_key(text)


@pytest.mark.parametrize(
    "text",
    ["19656ea", "19656ea.••••••••", "Accounting", "a defaced. Added deed", "3.14159", "", "%2e", "100%"],
)
def test_what_is_no_key_is_none(text: str) -> None:
    assert not key_text.contains_key(text)


@pytest.mark.parametrize("dot", [".", "%2e", "%252e", "%25252E"])
def test_a_secret_is_hidden_however_often_it_is_encoded(dot: str) -> None:
    hidden = key_text.hide_secrets(f"client {KEY.replace('.', dot)}")
    assert hidden == "client 19656ea.[hidden]"
