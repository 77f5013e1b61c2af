"""The exchange of a workload's identity token for a short-lived API key (RFC 8693)."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from django.conf import settings
from django.http import QueryDict
from django.views.decorators.debug import sensitive_variables
from drf_spectacular.utils import extend_schema
from msgspec import Meta, Struct
from rest_framework import serializers
from rest_framework.parsers import BaseParser
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apikeys import oidc, trusts
from apikeys.actors import client_actor
from apikeys.api import rate_limits
from apikeys.api.exceptions import ApiError
from apikeys.api.views import NoParametersMixin
from apikeys.models.trust import store_url

GRANT_TYPE = "urn:ietf:params:oauth:grant-type:token-exchange"
ID_TOKEN_TYPES = ("urn:ietf:params:oauth:token-type:id_token", "urn:ietf:params:oauth:token-type:jwt")
AccessTokenType = Literal["urn:ietf:params:oauth:token-type:access_token"]
# The errors of RFC 6749, section 5.2, and of RFC 8693, section 2.2.2.
OAUTH_ERRORS = {
    "invalid_request",
    "invalid_grant",
    "invalid_target",
    "unsupported_grant_type",
    "temporarily_unavailable",
}


class FormBodyParser(BaseParser):
    """Parses a form, each field once, up to ``DATA_UPLOAD_MAX_MEMORY_SIZE`` bytes."""

    media_type = "application/x-www-form-urlencoded"

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> dict[str, str]:
        fields = QueryDict(parser_context["request"]._request.body)
        if twice := [name for name, values in fields.lists() if len(values) > 1]:
            raise ApiError("invalid_request", f"{twice[0][:50]} is there more than once.")
        return fields.dict()


class TokenSerializer(serializers.Serializer[Any]):
    grant_type = serializers.ChoiceField([GRANT_TYPE], help_text="The grant of RFC 8693.")
    subject_token = serializers.CharField(
        max_length=oidc.MAX_TOKEN_LENGTH, help_text="The identity token of the workload, for this store."
    )
    subject_token_type = serializers.ChoiceField(ID_TOKEN_TYPES, help_text="That it is an identity token.")
    audience = serializers.CharField(
        max_length=200, help_text="The store's address, as in the token's `aud`, with the slash at its end."
    )


class IssuedKey(Struct):
    access_token: Annotated[str, Meta(description="The API key, which nobody can read again.")]
    issued_token_type: Annotated[AccessTokenType, Meta(description="That it is an access token.")]
    token_type: Annotated[Literal["Bearer"], Meta(description="How it is sent: `Authorization: Bearer`.")]
    expires_in: Annotated[int, Meta(ge=1, description="For how many seconds it works.")]
    scope: Annotated[str, Meta(description="Its scopes, with spaces between them.")]


class TokenView(NoParametersMixin):
    """A workload shows the identity token of its platform, and gets a key that works for minutes."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    parser_classes = [*APIView.parser_classes, FormBodyParser]

    @extend_schema(
        operation_id="exchange_token",
        summary="Exchange an identity token for a key",
        description="A workload that the store's owners trust shows the OpenID Connect token of its platform "
        "(GitHub Actions, GitLab) and gets an API key for minutes, after RFC 8693. Nothing is stored that "
        "could leak. Errors have the `error` and `error_description` of RFC 6749 besides `code`.",
        request=TokenSerializer,
        responses=IssuedKey,
    )
    @sensitive_variables()
    def post(self, request: Request) -> Response:
        http = request._request
        rate_limits.count_address(request)
        if settings.SECURE_SSL_REDIRECT and not http.is_secure():
            raise ApiError("https_required")
        fields = read_fields(request.data)
        store_id = read_store(fields["audience"])
        by = client_actor(http)
        try:
            identity = oidc.verify_token(fields["subject_token"], audience=fields["audience"])
            trust = trusts.find_trust(identity, store_id, by)
            rate_limits.count_exchange(trust.pk)
            made = trusts.exchange_token(trust, identity, by=by)
        except oidc.InvalidToken as error:
            rate_limits.count_failure(request)
            if error.identity:
                trusts.record_invalid_token(error.identity, store_id, f"The token is not valid: {error}.", by)
            raise ApiError("invalid_grant") from error
        except trusts.TokenRefused as error:
            rate_limits.count_failure(request)
            trusts.record_refusals(error.reasons, identity, by)
            raise ApiError("invalid_grant") from error
        except oidc.IssuerUnavailable as error:
            raise ApiError("temporarily_unavailable", wait=60) from error
        issued = IssuedKey(
            access_token=made.plaintext,
            issued_token_type="urn:ietf:params:oauth:token-type:access_token",  # noqa: S106  # a name
            token_type="Bearer",  # noqa: S106  # the scheme
            expires_in=made.seconds,
            scope=" ".join(made.key.access),
        )
        return Response(issued, headers={"Cache-Control": "no-store"})

    def handle_exception(self, exc: Exception) -> Response:
        """Answer an error as RFC 6749 has it, section 5.2, with this API's own fields besides."""
        response = super().handle_exception(exc)
        if isinstance(response.data, dict):
            code = str(response.data["code"])
            response.data = response.data | {
                "error": code if code in OAUTH_ERRORS else "invalid_request",
                "error_description": response.data["error"],
            }
        return response


def read_fields(data: Any) -> dict[str, str]:
    """Return the fields of the request. Raises ApiError."""
    if not isinstance(data, Mapping):
        raise ApiError("invalid_request", "The body has to be a form or a JSON object.")
    grant_type = data.get("grant_type")
    if isinstance(grant_type, str) and grant_type != GRANT_TYPE:
        raise ApiError("unsupported_grant_type")
    serializer = TokenSerializer(data=data)
    if unknown := [str(name)[:50] for name in data if name not in serializer.fields]:
        raise ApiError("invalid_request", f"The field {unknown[0]} is unknown here.")
    if not serializer.is_valid():
        name, problems = next(iter(serializer.errors.items()))
        raise ApiError("invalid_request", f"{name}: {problems[0]}")
    return dict(serializer.validated_data)


def read_store(audience: str) -> int:
    """Return the id of the store whose address this is. Raises ApiError."""
    store_id = audience.removesuffix("/").rpartition("/")[2]
    if not (store_id.isascii() and store_id.isdigit() and len(store_id) == 9):
        raise ApiError("invalid_target")
    if audience != store_url(int(store_id)):
        raise ApiError("invalid_target")
    return int(store_id)
