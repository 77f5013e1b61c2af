"""The last step of the rule for texts from outside, which is in ``stores.text``: no API key in them."""

from django.core.exceptions import ValidationError

from apikeys import client_ip, key_text
from stores.text import clean_name, clean_text

MAX_NOTE_LENGTH = 500
MAX_ADDRESSES = 50


def validate_no_key(text: str) -> None:
    """Raise ValidationError for a text with a whole key in it, or most of one.

    Names, notes and reasons are kept in the audit log and sent by e-mail to every owner.
    """
    if key_text.contains_key(text):
        raise ValidationError(
            "This contains an API key. Remove it: everybody with access to this store can read this.",
            code="contains_key",
        )


def clean_key_name(text: str) -> str:
    """Return a key's name as it is kept. Raises ValidationError."""
    name = clean_name(text)
    validate_no_key(name)
    return name


def clean_note(text: str) -> str:
    """Return a key's note, or an operator's reason, as it is kept. Raises ValidationError."""
    note = clean_text(text, max_length=MAX_NOTE_LENGTH)
    validate_no_key(note)
    return note


def clean_addresses(texts: list[str]) -> list[str]:
    """Return addresses and networks as they are kept, each once. Raises ValidationError."""
    if len(texts) > MAX_ADDRESSES:
        raise ValidationError(f"Enter at most {MAX_ADDRESSES} addresses, or use networks.")
    try:
        return list(dict.fromkeys(map(client_ip.canonical, texts)))
    except ValueError as error:
        raise ValidationError(str(error)) from error
