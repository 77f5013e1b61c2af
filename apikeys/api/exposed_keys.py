"""Keys that come over plain HTTP to a site on HTTPS: others could read them, whatever the answer is."""

from django.http import HttpRequest

from apikeys import lifecycle
from apikeys.actors import client_actor
from apikeys.models import ApiKey


def mark_exposed_key(request: HttpRequest) -> None:
    """Mark the key in the Authorization header of a request over plain HTTP, if there is one."""
    _, _, presented = request.headers.get("Authorization", "").partition(" ")
    if presented:
        for key in ApiKey.objects.with_plaintext([presented.strip(" ")]).filter(exposed_at=None):
            lifecycle.mark_exposed(key, by=client_actor(request))
