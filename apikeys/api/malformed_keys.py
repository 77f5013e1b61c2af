"""What is wrong with a request's key or header, in words that repeat nothing of it."""

import re
from collections.abc import Mapping

from apikeys import key_text

KEY_LENGTH = key_text.PREFIX_LENGTH + 1 + key_text.SECRET_LENGTH
RIGHT_FORM = (
    f"Send 'Authorization: Bearer <api_key>', where a key is {key_text.PREFIX_LENGTH} hexadecimal "
    f"characters, a dot and {key_text.SECRET_LENGTH} more."
)
OTHER_SCHEMES = ("Basic", "Token", "ApiKey", "Api-Key", "Digest", "Key")
# Headers in which other APIs take a key.
OTHER_HEADERS = ("X-Api-Key", "Api-Key", "X-Api-Token", "X-Auth-Token")

# What may stand after "Bearer" in place of a key; the first that matches is named.
MISTAKES = (
    (r"", "There is no key after 'Bearer'."),
    (r"(?i:bearer\b).*", "The word 'Bearer' is there twice."),
    (r".*(?:[\r\n]|\\[rn]|%0[adAD]).*", "There is a line break in the key."),
    (r".*[\"'`“”‘’«»].*", "There are quotes around the key."),
    (r"[<{\[$].*", "There is a placeholder in place of the key."),
    (r".*(?:[•*…]|\.\.\.).*", "Part of the key is hidden: only the whole key works."),
    (r"[0-9a-fA-F]{7}\.?", "There is only the prefix of a key."),
    (r".*[\s,;].*", "There is more than a key after 'Bearer'."),
    (r"(?=.*[A-F])[0-9a-fA-F]{7}\.[0-9a-fA-F]{27}", "The key has capital letters, and no key has any."),
)


def describe_mistake(header: str) -> str:
    """Say what was seen in the header, and the right form."""
    return f"{find_mistake(header)} {RIGHT_FORM}"


def describe_absence(headers: Mapping[str, str]) -> str:
    """Say that a request has no Authorization header, or in which other header it has a key."""
    for name in OTHER_HEADERS:
        if name in headers:
            return f"The header {name} is not read. {RIGHT_FORM}"
    return f"This route needs an API key. {RIGHT_FORM}"


def find_mistake(header: str) -> str:
    # WSGI decodes headers as Latin-1, whatever they are in.
    text = header.encode("latin-1", "ignore").decode("utf-8", "ignore").strip(" ")
    scheme, _, rest = text.partition(" ")
    if not text:
        return "The Authorization header is empty."
    if scheme.lower() != "bearer":
        return find_mistake_in_scheme(scheme, text)
    for pattern, sentence in MISTAKES:
        if re.fullmatch(pattern, rest.lstrip(" "), re.DOTALL):
            return sentence
    if len(rest) != KEY_LENGTH:
        return f"The key has {len(rest)} characters: a whole key has {KEY_LENGTH}."
    return "The key has characters that no key has."


def find_mistake_in_scheme(scheme: str, text: str) -> str:
    for other in OTHER_SCHEMES:
        if scheme.lower() == other.lower():
            return f"The Authorization header uses the scheme {other}, not Bearer."
    if key_text.find_prefix(text):
        return "The word 'Bearer' and a space are missing before the key."
    return "The Authorization header does not begin with 'Bearer' and a space."
