import hashlib
import re

import pytest

from apikeys import keys


def test_a_key_has_the_published_format() -> None:
    prefix, plaintext = keys.generate()
    assert re.fullmatch(r"[0-9a-f]{7}\.[0-9a-f]{27}", plaintext)
    assert plaintext.startswith(f"{prefix}.")


def test_no_two_keys_are_alike() -> None:
    assert len({keys.generate()[1] for _ in range(1000)}) == 1000


def test_the_digest_is_sha_256_of_the_whole_key() -> None:
    _, plaintext = keys.generate()
    assert keys.digest(plaintext) == hashlib.sha256(plaintext.encode()).hexdigest()
    assert len(keys.digest(plaintext)) == keys.DIGEST_LENGTH


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
    assert keys.find_prefix(typed) == prefix
