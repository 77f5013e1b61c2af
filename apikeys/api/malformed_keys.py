"""The sentence for a missing or malformed key, which repeats nothing of what was sent."""

from django.http import HttpRequest

from apikeys import key_text
from apikeys.error_codes import ERROR_CODES, RIGHT_FORM

# Headers in which other APIs take a key.
OTHER_HEADERS = ("X-Api-Key", "Api-Key", "X-Api-Token", "X-Auth-Token")
KEY_IN_QUERY = (
    "There is an API key in the address, where it is not read. Addresses are kept in logs: roll this key on "
    "the settings page."
)


def describe_mistake(header: str) -> str:
    """Say what is wrong with an Authorization header, and the right form."""
    return f"{find_mistake(header)} {RIGHT_FORM}"


def find_mistake(header: str) -> str:
    scheme, _, rest = header.partition(" ")
    if scheme.lower() != "bearer":
        return "The Authorization header does not begin with 'Bearer' and a space."
    if key_text.find_keys(rest):
        return "There is more around the key, such as quotes or a line break, or it has capital letters."
    return "There is no whole key after 'Bearer'."


def describe_absence(request: HttpRequest) -> str:
    """Say that a request has no Authorization header, or where else it has a key."""
    if has_key_in_query(request):
        return f"{KEY_IN_QUERY} {RIGHT_FORM}"
    for name in OTHER_HEADERS:
        if name in request.headers:
            return f"The header {name} is not read. {RIGHT_FORM}"
    return ERROR_CODES["api_key_missing"].sentence


def has_key_in_query(request: HttpRequest) -> bool:
    return key_text.contains_key(request.META.get("QUERY_STRING", ""))
