"""What people may type where it is kept, mailed or shown: no API key, and only what can be seen."""

from django.core.exceptions import ValidationError

from apikeys import key_text
from stores.names import clean_name


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
    validate_no_key(text)
    return clean_name(text)
