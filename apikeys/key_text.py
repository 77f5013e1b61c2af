"""The key itself, as text: ``19656ea.4329f04826e125f1ee999b53f78``.

Seven hexadecimal characters, the prefix, stay visible and find the key again; the 27 behind the dot
are the secret, 108 random bits. Pure functions: no models, no input or output.
"""

import hashlib
import re
import secrets
import unicodedata

PREFIX_LENGTH = 7
SECRET_LENGTH = 27
DIGEST_LENGTH = 64
# A command with a key in it can be pasted into a search box; more than this is not looked at.
MAX_PASTE_LENGTH = 2000
MAX_SEARCH_LENGTH = 100

_KEY = re.compile(rf"[0-9a-f]{{{PREFIX_LENGTH}}}\.[0-9a-f]{{{SECRET_LENGTH}}}")
# A key or most of one, in any text. It begins with the dot, as often percent-encoded as may be (%2E, %252E),
# of which texts have few: a search goes from one to the next. The prefix is looked back at: the end of one
# key can be the beginning of the next.
_KEY_IN_TEXT = re.compile(
    rf"[.%](?<=([0-9a-fA-F]{{{PREFIX_LENGTH}}})[.%])(?:(?<=\.)|(?<=%)(?:25)*+2[eE])([0-9a-fA-F]{{8,}})"
)
_PREFIX = re.compile(rf"\s*([0-9a-f]{{{PREFIX_LENGTH}}})(\.[0-9a-f•]*)?\s*", re.IGNORECASE)


def generate() -> tuple[str, str]:
    """Return a prefix and the whole key it begins, from the operating system's random source."""
    token = secrets.token_hex((PREFIX_LENGTH + SECRET_LENGTH) // 2)
    prefix, secret = token[:PREFIX_LENGTH], token[PREFIX_LENGTH:]
    return prefix, f"{prefix}.{secret}"


def is_well_formed(text: str) -> bool:
    """Whether the text has the shape of a key; says nothing about whether the key exists."""
    return _KEY.fullmatch(text) is not None


def find_prefix(text: str) -> str | None:
    """Return the prefix in what a person typed or pasted: a prefix, a masked key, or a key in any text."""
    match = _PREFIX.fullmatch(text) or _KEY_IN_TEXT.search(text)
    return match[1].lower() if match else None


def search_term(typed: str) -> str:
    """Return what a search looks for, which is in an address: of a pasted key its prefix, else the text."""
    text = typed[:MAX_PASTE_LENGTH].replace("\0", "").strip()
    # Composed, as names and notes are kept.
    return find_prefix(text) or unicodedata.normalize("NFC", text[:MAX_SEARCH_LENGTH])


def hide_secrets(text: str) -> str:
    """Return the text with every key in it, or most of one, cut down to its prefix."""
    return _KEY_IN_TEXT.sub(".[hidden]", text)


def contains_key(text: str) -> bool:
    """Whether somebody could read a key in the text, or most of one."""
    return _KEY_IN_TEXT.search(text) is not None


def find_keys(text: str) -> set[str]:
    """Return the whole keys in any text, whatever stands around them."""
    return {
        f"{prefix}.{secret[:SECRET_LENGTH]}".lower()
        for prefix, secret in _KEY_IN_TEXT.findall(text)
        if len(secret) >= SECRET_LENGTH
    }


def digest(key: str) -> str:
    """Return the SHA-256 of the whole key, in hexadecimal: what is stored of it.

    A fast hash is right for 108 random bits; a slow one would only add latency.
    """
    return hashlib.sha256(key.encode()).hexdigest()
