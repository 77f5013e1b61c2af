"""The exchange of a workload's identity token for a short-lived API key (RFC 8693)."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
from django.conf import settings
from django.http import QueryDict
from django.views.decorators.debug import sensitive_variables
from drf_spectacular.utils import extend_schema
from msgspec import Meta, Struct
from rest_framework.parsers import BaseParser
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apikeys import oidc, trusts
from apikeys.actors import client_actor
from apikeys.api import rate_limits
from apikeys.api.exceptions import ApiError
from apikeys.models.trust import store_url
from stores.api.parameters import KnownParametersMixin

GRANT_TYPE = "urn:ietf:params:oauth:grant-type:token-exchange"
GrantType = Literal["urn:ietf:params:oauth:grant-type:token-exchange"]
IdTokenType = Literal["urn:ietf:params:oauth:token-type:id_token", "urn:ietf:params:oauth:token-type:jwt"]
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


class Token(Struct, forbid_unknown_fields=True):
    grant_type: Annotated[GrantType, Meta(description="The grant of RFC 8693.")]
    subject_token: Annotated[
        str,
        Meta(max_length=oidc.MAX_TOKEN_LENGTH, description="The workload's identity token, for this store."),
    ]
    subject_token_type: Annotated[IdTokenType, Meta(description="That it is an identity token.")]
    audience: Annotated[
        str,
        Meta(
            max_length=200,
            description="The store's address, as in the token's `aud`, ending in a slash.",
        ),
    ]


class IssuedKey(Struct):
    access_token: Annotated[str, Meta(description="The API key, which nobody can read again.")]
    issued_token_type: Annotated[AccessTokenType, Meta(description="That it is an access token.")]
    token_type: Annotated[Literal["Bearer"], Meta(description="How it is sent: `Authorization: Bearer`.")]
    expires_in: Annotated[int, Meta(ge=1, description="For how many seconds it works.")]
    scope: Annotated[str, Meta(description="Its scopes, with spaces between them.")]


class TokenView(KnownParametersMixin):
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
        request=Token,
        responses=IssuedKey,
    )
    @sensitive_variables()
    def post(self, request: Request) -> Response:
        rate_limits.count_address(request)
        if settings.SECURE_SSL_REDIRECT and not request.is_secure():
            raise ApiError("https_required")
        fields = read_fields(request.data)
        store_id = read_store(fields.audience)
        by = client_actor(request)
        try:
            identity = oidc.verify_token(fields.subject_token, audience=fields.audience)
            # Counted at last: whoever has an old token would use up the trust's keys of this minute.
            admit = rate_limits.count_exchange
            trust, key, plaintext = trusts.exchange_token(identity, store_id, by=by, admit=admit)
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
            # Anybody can send a token that names a key which nobody knows.
            rate_limits.count_failure(request)
            raise ApiError("temporarily_unavailable", wait=60) from error
        issued = IssuedKey(
            access_token=plaintext,
            issued_token_type="urn:ietf:params:oauth:token-type:access_token",  # noqa: S106  # a name
            token_type="Bearer",  # noqa: S106  # the scheme
            expires_in=trust.lifetime,
            scope=" ".join(key.access),
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


def read_fields(data: Any) -> Token:
    """Return the fields of the request. Raises ApiError."""
    grant_type = data.get("grant_type") if isinstance(data, Mapping) else None
    if isinstance(grant_type, str) and grant_type != GRANT_TYPE:
        raise ApiError("unsupported_grant_type")
    try:
        return msgspec.convert(data, Token)
    except (msgspec.ValidationError, UnicodeError) as error:
        raise ApiError("invalid_request", f"{str(error)[:200]}.") from error


def read_store(audience: str) -> int:
    """Return the id of the store whose address this is. Raises ApiError."""
    store_id = audience.removesuffix("/").rpartition("/")[2]
    if not re.fullmatch("[1-9][0-9]{8}", store_id) or audience != store_url(int(store_id)):
        raise ApiError("invalid_target")
    return int(store_id)
