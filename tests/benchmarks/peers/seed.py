"""Keys of djangorestframework-api-key."""

from django.core.management import call_command
from django.db import transaction
from rest_framework_api_key.models import APIKey

USED_KEYS = 100


def seed(number: int) -> list[str]:
    """Make so many keys; returns the Authorization headers of the last of them."""
    call_command("migrate", verbosity=0)
    with transaction.atomic():
        keys = [APIKey.objects.create_key(name=f"Peer {index}")[1] for index in range(number)]
    return [f"Api-Key {key}" for key in keys[-USED_KEYS:]]
