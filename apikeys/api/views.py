"""The API's routes about keys themselves."""

from typing import cast
from uuid import UUID

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from apikeys import key_text, lifecycle, renewal
from apikeys.actors import client_actor
from apikeys.api import output, rate_limits
from apikeys.api.call import get_call
from apikeys.api.key_lookup import FoundKey
from apikeys.api.permissions import HasApiKey
from apikeys.models import ApiKey, LoggedRequest
from stores.api.parameters import KnownParametersMixin
from stores.api.serializers import StrictSerializer

MAX_KEYS = 100
# Of one text that keys are handed in with.
MAX_LENGTH = 10_000


class ApiKeyView(KnownParametersMixin):
    """A key asks about itself."""

    permission_classes = (HasApiKey,)

    @extend_schema(operation_id="get_api_key", summary="Read what a key is", responses=output.OwnKey)
    def get(self, request: Request) -> Response:
        return Response(output.describe_own_key(cast("FoundKey", request.auth), get_call(request).allowance))


class OwnRequestView(KnownParametersMixin):
    """A key asks what became of a request of its own."""

    permission_classes = (HasApiKey,)

    @extend_schema(
        operation_id="get_api_key_request",
        summary="Read what became of a request",
        description="As long as the request log keeps it, from a second or so after its answer.",
        responses=output.OwnRequest,
    )
    def get(self, request: Request, request_id: str) -> Response:
        own = LoggedRequest.objects.filter(key=request.auth.pk)
        try:
            logged = own.filter(request_id=UUID(request_id)).order_by("-at", "-id")[0]
        except (ValueError, IndexError) as error:
            raise Http404 from error
        return Response(output.describe_own_request(logged))


class RenewKeyView(KnownParametersMixin):
    """A key that may renew itself asks for the one that takes its place."""

    permission_classes = (HasApiKey,)

    @extend_schema(
        operation_id="renew_api_key",
        summary="Renew the key itself",
        description="Answers the key that takes this one's place, with the same access and a fresh expiry of "
        "the same length, at most once an hour. This one works until a minute after the new one is first "
        "used, and at most 24 hours. Asked again before that, it answers another key in place of the one "
        "that was lost. Only for a key whose owner has ticked **May renew itself**.",
        request=None,
        responses={201: output.NewApiKey},
    )
    def post(self, request: Request) -> Response:
        StrictSerializer(data=request.data).is_valid(raise_exception=True)
        key = ApiKey.objects.select_related("store").get(pk=request.auth.pk)
        renewed = renewal.renew_key(key, by=client_actor(request, key))
        return Response(output.describe_new_key(*renewed), status=201)


class LeakedKeysSerializer(StrictSerializer):
    keys = serializers.ListField(
        child=serializers.CharField(max_length=MAX_LENGTH),
        min_length=1,
        max_length=MAX_KEYS,
        help_text="Whole keys, such as `19656ea.4329f04826e125f1ee999b53f78`, or texts they were found in.",
    )

    def validate_keys(self, keys: list[str]) -> set[str]:
        """Return the whole keys in the texts: as they were found, in a header, in quotes or in a URL."""
        found = key_text.find_keys("\n".join(keys))
        if len(found) > MAX_KEYS:
            raise serializers.ValidationError(f"There are more than {MAX_KEYS} keys in it: hand in fewer.")
        return found


class RevokeKeysView(KnownParametersMixin):
    """Anybody who has found keys hands them in: those that exist are deactivated, their owners are told.

    The answer is the same whether a key existed or not.
    """

    authentication_classes = ()
    # Other bodies must hold none.
    takes_keys = True
    permission_classes = (AllowAny,)

    @extend_schema(
        operation_id="revoke_api_keys",
        summary="Report leaked keys",
        description="Keys that exist are deactivated at once and their owners told. The answer is the same "
        "whether they existed or not.",
        request=LeakedKeysSerializer,
        responses={202: output.Received},
    )
    def post(self, request: Request) -> Response:
        rate_limits.count_revocation(request)
        handed_in = LeakedKeysSerializer(data=request.data)
        handed_in.is_valid(raise_exception=True)
        found = ApiKey.objects.with_plaintext(handed_in.validated_data["keys"])
        lifecycle.report_leaked_keys(found, by=client_actor(request))
        return Response(output.Received(len(handed_in.initial_data["keys"])), status=202)
