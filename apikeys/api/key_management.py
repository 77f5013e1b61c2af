"""The resource ``api_keys``: programs see all keys of their store, and change those that they made."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, cast

import msgspec
from django.core.validators import RegexValidator
from django.db.models import Q
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django_filters import FilterSet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from apikeys import key_text, lifecycle
from apikeys.actors import Actor, client_actor
from apikeys.api.exceptions import ApiError
from apikeys.api.key_lookup import FoundKey
from apikeys.api.output import ApiKey, NewApiKey, describe_keys, describe_new_key
from apikeys.api.permissions import resource_not_allowed
from apikeys.lifecycle import NameTaken, StaleKey, StoreSuspended
from apikeys.models import ApiKey as StoredKey
from apikeys.models import ApiKeyQuerySet
from apikeys.models.state import BY_NAME
from apikeys.reach import BeyondOwnAccess, ProgramStopped
from apikeys.renewal import NotRenewable, RenewedTooSoon
from apikeys.validators import MAX_ADDRESSES, MAX_NOTE_LENGTH, clean_addresses, clean_key_name, clean_note
from stores.api.base import ObjectViewSet
from stores.api.filters import CharFilter, WordFilter
from stores.api.serializers import StrictSerializer, drop_unchanged
from stores.resources import SCOPES, Resource

MAX_EXPIRES_IN = 365 * 86400
MAX_OVERLAP = 7 * 86400
# What a key was created by: a person, or the key with this prefix.
MAKER = "^(person|[0-9a-f]{7})$"


def validate_future(moment: datetime) -> None:
    """Raise ValidationError for a moment that has passed."""
    if moment <= timezone.now():
        raise ValidationError("This is in the past.")


class ApiKeySerializer(StrictSerializer):
    """The body that creates a key, or with ``partial`` changes one."""

    name = serializers.CharField(max_length=100)
    note = serializers.CharField(max_length=MAX_NOTE_LENGTH, required=False, allow_blank=True)
    access = serializers.ListField(
        child=serializers.ChoiceField(choices=SCOPES), allow_empty=False, max_length=len(SCOPES)
    )
    expires_in = serializers.IntegerField(
        min_value=60,
        max_value=MAX_EXPIRES_IN,
        required=False,
        help_text="In how many seconds it ends; instead of `expires_at`.",
    )
    expires_at = serializers.DateTimeField(required=False, validators=[validate_future])
    allowed_addresses = serializers.ListField(
        child=serializers.CharField(max_length=49), max_length=MAX_ADDRESSES, required=False
    )

    # DRF takes Django's ValidationError, which these raise, as its own.
    validate_name = staticmethod(clean_key_name)
    validate_note = staticmethod(clean_note)
    validate_allowed_addresses = staticmethod(clean_addresses)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "expires_in" in attrs and "expires_at" in attrs:
            raise ValidationError({"expires_in": ["Send expires_in or expires_at, not both."]})
        if "expires_in" in attrs:
            attrs["expires_at"] = timezone.now() + timedelta(seconds=attrs.pop("expires_in"))
        if "expires_at" not in attrs and not self.partial:
            raise ValidationError({"expires_in": ["Send expires_in or expires_at: the key has to end."]})
        return attrs


class RollSerializer(StrictSerializer):
    overlap = serializers.IntegerField(
        min_value=0,
        max_value=MAX_OVERLAP,
        help_text="For how many more seconds the old key works.",
    )


class DeactivateSerializer(StrictSerializer):
    until = serializers.DateTimeField(
        required=False,
        validators=[validate_future],
        help_text="When it turns back on; without it, when somebody reactivates it.",
    )


class KeyFilters(FilterSet):
    status = WordFilter(
        BY_NAME,
        method=lambda keys, _, name: keys.in_state(name),
        help_text="Only keys that are this, be it their `status` or not.",
    )
    access = WordFilter(
        SCOPES, method=lambda keys, _, scope: keys.granting(scope), help_text="Only keys with this scope."
    )
    created_by = CharFilter(
        method="filter_created_by",
        max_length=7,
        validators=[RegexValidator(MAKER, "Must be person, or the prefix of a key.")],
        help_text="`person`, or the prefix of a key.",
    )
    created_by.schema["pattern"] = MAKER
    search = CharFilter(
        method=lambda keys, _, text: keys.search(key_text.search_term(text)),
        help_text="Only keys with this in their name, note or prefix.",
    )

    def filter_created_by(self, keys: ApiKeyQuerySet, name: str, value: str) -> ApiKeyQuerySet:
        maker = {"made_by": None} if value == "person" else {"made_by__prefix": value}
        return keys.filter(**maker)


@extend_schema_view(
    list=extend_schema(operation_id="list_api_keys", summary="List API keys"),
    retrieve=extend_schema(operation_id="get_api_key_of_store", summary="Get an API key"),
)
class ApiKeyViewSet(ObjectViewSet):
    """Keys of the store in the address, each under its prefix."""

    resource = Resource.API_KEYS
    output = ApiKey
    lookup_field = "prefix"
    lookup_value_regex = "[0-9a-f]{7}"
    serializer_class = ApiKeySerializer
    filterset_class = KeyFilters
    queryset = StoredKey.objects.order_by("-created_at", "-pk")

    def get_conditions(self) -> dict[str, Any]:
        """Leave out keys that a trust makes for minutes, as ``kept()`` does."""
        return super().get_conditions() | {"trust": None}

    def get_rows(self) -> ApiKeyQuerySet:
        keys = cast("ApiKeyQuerySet", self.get_queryset()).with_status()
        return keys.select_related("store", "created_by", "made_by", "predecessor")

    def represent(self, ids: Sequence[int]) -> Sequence[ApiKey]:
        keys = self.get_rows().in_bulk(ids)
        return describe_keys([keys[pk] for pk in ids if pk in keys])

    @property
    def actor(self) -> Actor:
        """The program that the request's key is in. Raises ApiKey.DoesNotExist."""
        return client_actor(self.request, StoredKey.objects.get(pk=self.request.auth.pk))

    def get_object(self) -> StoredKey:
        """Return the key in the address. Raises Http404."""
        key: StoredKey = get_object_or_404(self.get_rows(), self.get_lookup())
        return key

    def read_body(self, serializer_class: type[StrictSerializer], **options: Any) -> dict[str, Any]:
        """Return the valid fields of the body. Raises ValidationError."""
        body = serializer_class(**{"data": self.request.data, **options})
        body.is_valid(raise_exception=True)
        valid: dict[str, Any] = body.validated_data
        return valid

    @extend_schema(
        operation_id="create_api_key",
        summary="Create an API key",
        description="It gets at most what the program's own key has, never `api_keys`, and ends in a year.",
        responses={201: NewApiKey},
    )
    def create(self, request: Request, **kwargs: Any) -> Response:
        body = self.read_body(ApiKeySerializer)
        key, plaintext = lifecycle.create_key(store=self.store, by=self.actor, **body)
        location = self.reverse_action("detail", kwargs={**self.kwargs, "prefix": key.prefix})
        return Response(describe_new_key(key, plaintext), status=201, headers={"Location": location})

    @extend_schema(
        operation_id="update_api_key",
        summary="Update an API key",
        description="Only a key that the program's own key made, or one that this made. A member that "
        "is sent as it is now is no change; leave out those that its requests count up.",
    )
    def partial_update(self, request: Request, **kwargs: Any) -> Response:
        key, sent = self.get_object(), request.data
        if isinstance(sent, Mapping):
            sent = drop_unchanged(sent, msgspec.to_builtins(describe_keys([key])[0]))
        body = self.read_body(ApiKeySerializer, data=sent, partial=True)
        lifecycle.update_key(key, by=self.actor, version=key.version, **cast("Any", body))
        return self.respond(self.read(Q(pk=key.pk)))

    @extend_schema(operation_id="delete_api_key", summary="Delete an API key")
    def destroy(self, request: Request, **kwargs: Any) -> Response:
        lifecycle.delete_key(self.get_object(), by=self.actor)
        return Response(status=204)

    @extend_schema(
        operation_id="roll_api_key_of_store",
        summary="Roll an API key",
        description="Answers a new key with the same name, access and length; the old one works for "
        "`overlap` seconds more.",
        request=RollSerializer,
        responses={201: NewApiKey},
    )
    @action(detail=True, methods=["post"])
    def roll(self, request: Request, **kwargs: Any) -> Response:
        key, body = self.get_object(), self.read_body(RollSerializer)
        rolled = lifecycle.roll_key(key, by=self.actor, overlap=timedelta(seconds=body["overlap"]))
        return Response(describe_new_key(*rolled), status=201)

    @extend_schema(
        operation_id="deactivate_api_key", summary="Deactivate an API key", request=DeactivateSerializer
    )
    @action(detail=True, methods=["post"])
    def deactivate(self, request: Request, **kwargs: Any) -> Response:
        key, body = self.get_object(), self.read_body(DeactivateSerializer)
        lifecycle.deactivate_key(key, by=self.actor, until=body.get("until"))
        return self.respond(self.read(Q(pk=key.pk)))

    @extend_schema(operation_id="reactivate_api_key", summary="Reactivate an API key", request=None)
    @action(detail=True, methods=["post"])
    def reactivate(self, request: Request, **kwargs: Any) -> Response:
        key = self.get_object()
        self.read_body(StrictSerializer)
        lifecycle.reactivate_key(key, by=self.actor, version=key.version)
        return self.respond(self.read(Q(pk=key.pk)))


def as_api_error(error: Exception, request: Request) -> Exception:
    """Return the error of the API for what the lifecycle refuses; any other exception as it is."""
    match error:
        case BeyondOwnAccess(missing=[_, *_] as missing):
            return resource_not_allowed(
                required=" ".join(missing), granted=cast("FoundKey", request.auth).access
            )
        case BeyondOwnAccess(what=what):
            return ApiError("beyond_own_access", str(error), fields={what: [str(error)]})
        case ProgramStopped():
            return ApiError("api_key_inactive")
        case NameTaken():
            taken = "Another key of this store has this name."
            return ApiError("conflict", taken, fields={"name": [taken]})
        case StoreSuspended() | StaleKey():
            stale = "The key is not in a state in which this can be done to it."
            return ApiError("conflict", str(error) or stale)
        case NotRenewable():
            may_not = "This API key may not renew itself: its owner can tick that on the settings page."
            return ApiError("permission_denied", may_not)
        case RenewedTooSoon(wait_seconds=wait):
            return ApiError("rate_limited", "A key can renew itself once an hour.", wait=wait)
        case StoredKey.DoesNotExist():
            return Http404()
    return error
