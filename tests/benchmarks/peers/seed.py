"""``python -m tests.benchmarks.peers.seed NUMBER``: users with a key of each package, and what they send.

The Authorization headers of some are printed as JSON, by door: ``{"token": ["Token …"], "knox": […], …}``.
"""

import json
import sys

import django

django.setup()

from django.contrib.auth.models import User  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import transaction  # noqa: E402
from knox.models import AuthToken  # noqa: E402
from rest_framework.authtoken.models import Token  # noqa: E402
from rest_framework_api_key.models import APIKey  # noqa: E402

IN_USE = 100


@transaction.atomic
def seed(number: int) -> dict[str, list[str]]:
    """Give as many new users a key of each kind; returns the headers of the last of them, by door."""
    headers: dict[str, list[str]] = {"token": [], "knox": [], "api-key": []}
    for index in range(number):
        user = User.objects.create(username=f"peer-{index}")
        headers["token"].append(f"Token {Token.objects.create(user=user).key}")
        headers["knox"].append(f"Token {AuthToken.objects.create(user)[1]}")
        headers["api-key"].append(f"Api-Key {APIKey.objects.create_key(name=f'Peer {index}')[1]}")
    return {door: sent[-IN_USE:] for door, sent in headers.items()}


if __name__ == "__main__":
    call_command("migrate", verbosity=0)
    print(json.dumps(seed(int(sys.argv[1]))))
