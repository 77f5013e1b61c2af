"""``manage.py rotate_secrets``: after a new SECRET_KEY, and before the former leaves SECRET_KEY_FALLBACKS."""

from typing import Any

from allauth.mfa.models import Authenticator
from cryptography.fernet import InvalidToken
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from reflow.accounts.second_factor import cipher

# Where authenticator apps and recovery codes keep theirs.
SECRETS = ("secret", "seed")


class Command(BaseCommand):
    help = "Encrypt the secrets of second factors anew, under the SECRET_KEY of today."

    def handle(self, **options: Any) -> None:
        cannot_be_read = 0
        with transaction.atomic():
            for authenticator in Authenticator.objects.select_for_update():
                try:
                    rotate(authenticator)
                except InvalidToken:
                    cannot_be_read += 1
        if cannot_be_read:
            raise CommandError(
                f"{cannot_be_read} cannot be read: SECRET_KEY_FALLBACKS lacks the key they are kept under."
            )
        self.stdout.write("All second factors are kept under the SECRET_KEY of today.")


def rotate(authenticator: Authenticator) -> None:
    """Raises InvalidToken where none of the keys fits."""
    data = authenticator.data
    data |= {name: cipher().rotate(data[name]).decode() for name in SECRETS if name in data}
    authenticator.save(update_fields=["data"])
