"""The one form in which an account's e-mail address is stored.

allauth looks accounts up by the lower-case address, so an address that was stored with capitals could never
sign in. A unique index on the lower-case address (see ``reflow.migrations``) holds it for every writer.
"""

from typing import Any

from django.contrib.auth.models import User


def normalize_email(email: str) -> str:
    return email.strip().lower()


def normalize_email_of(sender: type[User], instance: User, **kwargs: Any) -> None:
    """Normalize the address of an account before it is saved."""
    instance.email = normalize_email(instance.email)
