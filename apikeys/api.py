"""The API's routes about keys themselves."""

from typing import Any, cast

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apikeys import reports
from apikeys.models import ApiKey
from apikeys.permissions import HasApiKey


class ApiKeyView(APIView):
    """A key asks about itself."""

    permission_classes = (HasApiKey,)

    def get(self, request: Request) -> Response:
        return Response(about(cast("ApiKey", request.auth)))


def about(key: ApiKey) -> dict[str, Any]:
    """What a key is told about itself: who it is, what it reaches, until when, and what it did.

    ``usage`` counts the requests of the last 30 days (UTC), today included, by resource and outcome.
    """
    return {
        "object": "api_key",
        "name": key.name,
        "prefix": key.prefix,
        "store": {"id": str(key.store.pk), "name": key.store.name},
        "access": key.access,
        "created_at": key.created_at,
        "expires_at": key.expires_at,
        "usage": reports.by_resource(key),
    }
