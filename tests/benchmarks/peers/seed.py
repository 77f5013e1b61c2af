"""``python -m tests.benchmarks.peers.seed NUMBER``: users with a key of each package, and what one sends.

The last one's headers are printed as JSON: ``{"token": "Token …", "knox": …, "api-key": …}``.
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


@transaction.atomic
def seed(number: int) -> dict[str, str]:
    """Give as many new users a key of each kind; returns the Authorization headers of the last."""
    headers: dict[str, str] = {}
    for index in range(number):
        user = User.objects.create(username=f"peer-{index}")
        _, knox = AuthToken.objects.create(user)
        _, api_key = APIKey.objects.create_key(name=f"Peer {index}")
        token = Token.objects.create(user=user)
        headers = {"token": f"Token {token.key}", "knox": f"Token {knox}", "api-key": f"Api-Key {api_key}"}
    return headers


if __name__ == "__main__":
    call_command("migrate", verbosity=0)
    print(json.dumps(seed(int(sys.argv[1]))))
