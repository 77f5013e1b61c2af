"""What is wrong with a request's key or header, in words that repeat nothing of it."""

from collections.abc import Mapping

from apikeys import key_text

RIGHT_FORM = (
    f"Send 'Authorization: Bearer <api_key>', where a key is {key_text.PREFIX_LENGTH} hexadecimal "
    f"characters, a dot and {key_text.SECRET_LENGTH} more."
)
# Headers in which other APIs take a key.
OTHER_HEADERS = ("X-Api-Key", "Api-Key", "X-Api-Token", "X-Auth-Token")


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
    scheme, _, rest = header.partition(" ")
    if scheme.lower() != "bearer":
        return "The Authorization header does not begin with 'Bearer' and a space."
    if key_text.find_keys(rest):
        return "There is more around the key, such as quotes or a line break, or it has capital letters."
    return "There is no whole key after 'Bearer'."
