"""Whether a person proved who they are a short while ago: what a change to keys or accounts asks for."""

import time

from allauth.account.authentication import get_authentication_records
from django.conf import settings
from django.http import HttpRequest


def has_recent_login(request: HttpRequest) -> bool:
    """Whether a password (or another proof) was given within ACCOUNT_REAUTHENTICATION_TIMEOUT seconds."""
    records = get_authentication_records(request, request.user)
    oldest = time.time() - settings.ACCOUNT_REAUTHENTICATION_TIMEOUT
    return any(record["at"] > oldest for record in records)
