"""The key itself, as text: ``19656ea.4329f04826e125f1ee999b53f78``.

Seven hexadecimal characters, the prefix, stay visible and find the key again; the 27 behind the dot
are the secret, 108 random bits. Pure functions: no models, no input or output.
"""

import hashlib
import hmac
import re
import secrets
import unicodedata
from urllib.parse import unquote

PREFIX_LENGTH = 7
SECRET_LENGTH = 27
DIGEST_LENGTH = 64

_KEY = re.compile(rf"[0-9a-f]{{{PREFIX_LENGTH}}}\.[0-9a-f]{{{SECRET_LENGTH}}}")
_WHOLE_IN_TEXT = re.compile(_KEY.pattern, re.IGNORECASE)
_IN_TEXT = re.compile(rf"([0-9a-f]{{{PREFIX_LENGTH}}})\.[0-9a-f]{{8,}}", re.IGNORECASE)
# Begins at the dot, which is soon found in a long text.
_SECRET_IN_TEXT = re.compile(rf"\.(?<=[0-9a-f]{{{PREFIX_LENGTH}}}\.)[0-9a-f]{{8,}}", re.IGNORECASE)
_PREFIX_IN_TEXT = re.compile(
    rf"(?<![0-9a-z])[0-9a-f]{{{PREFIX_LENGTH}}}(?![0-9a-z])|[0-9a-f]{{{PREFIX_LENGTH}}}(?=\.)", re.IGNORECASE
)
_PREFIX = re.compile(rf"\s*([0-9a-f]{{{PREFIX_LENGTH}}})(\.[0-9a-f•]*)?\s*", re.IGNORECASE)


def generate() -> tuple[str, str]:
    """A prefix and the whole key it begins, from the operating system's random source."""
    token = secrets.token_hex((PREFIX_LENGTH + SECRET_LENGTH) // 2)
    prefix, secret = token[:PREFIX_LENGTH], token[PREFIX_LENGTH:]
    return prefix, f"{prefix}.{secret}"


def is_well_formed(text: str) -> bool:
    """Whether the text has the shape of a key; says nothing about whether the key exists."""
    return _KEY.fullmatch(text) is not None


def find_prefix(text: str) -> str | None:
    """The prefix in what a person typed or pasted: a prefix, a masked key, or a whole key in any text."""
    match = _PREFIX.fullmatch(text) or _IN_TEXT.search(text)
    return match[1].lower() if match else None


def hide_secrets(text: str) -> str:
    """Return the text with every key in it, or most of one, cut down to its prefix.

    A text in which one is percent-encoded, however many times, is returned decoded.
    """
    if "%" in text and _SECRET_IN_TEXT.search(decoded := unquote_fully(text)):
        text = decoded
    return _SECRET_IN_TEXT.sub(".[hidden]", text)


def unquote_fully(text: str) -> str:
    """Return the text without percent-encoding, however many times it was encoded."""
    while (decoded := unquote(text)) != text:
        text = decoded
    return text


def contains_key(text: str) -> bool:
    """Whether somebody could read a key in the text, or most of one.

    Also where it is spelled in another way: in full-width letters, with spaces or invisible characters in
    it, or percent-encoded.
    """
    spelled = unicodedata.normalize("NFKC", unquote_fully(text)).replace("\u3002", ".")
    if _SECRET_IN_TEXT.search(text) or _SECRET_IN_TEXT.search(spelled):
        return True
    # Words that are run together could be hexadecimal by chance, but not this many.
    together = "".join(character for character in spelled if character.isalnum() or character == ".")
    return _WHOLE_IN_TEXT.search(together) is not None


def find_keys(text: str) -> set[str]:
    """The whole keys in any text, whatever stands around them."""
    return {found.lower() for found in _WHOLE_IN_TEXT.findall(text)}


def find_prefixes(text: str) -> set[str]:
    """What may be prefixes in any text: of keys that are whole, masked or cut short, or all by themselves."""
    return {found.lower() for found in _PREFIX_IN_TEXT.findall(text)}


def digest(key: str) -> str:
    """SHA-256 of the whole key, in hexadecimal: what is stored of it.

    A fast hash is right for 108 random bits; a slow one would only add latency.
    """
    return hashlib.sha256(key.encode()).hexdigest()


def is_equal(digest: str, other: str) -> bool:
    """Whether two digests are alike, in time that does not depend on where they differ."""
    return hmac.compare_digest(digest, other)
