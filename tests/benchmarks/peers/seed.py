"""``python -m tests.benchmarks.peers.seed NUMBER``: keys of djangorestframework-api-key.

The Authorization headers of some are printed as a JSON list.
"""

import json
import sys

import django

django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import transaction  # noqa: E402
from rest_framework_api_key.models import APIKey  # noqa: E402

IN_USE = 100


@transaction.atomic
def seed(number: int) -> list[str]:
    """Make so many keys; returns the headers of the last of them."""
    keys = [APIKey.objects.create_key(name=f"Peer {index}")[1] for index in range(number)]
    return [f"Api-Key {key}" for key in keys[-IN_USE:]]


if __name__ == "__main__":
    call_command("migrate", verbosity=0)
    print(json.dumps(seed(int(sys.argv[1]))))
