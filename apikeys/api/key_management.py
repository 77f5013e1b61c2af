"""The resource ``api_keys``: programs see all keys of their store, and change those that they made."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal, TypeVar, cast

import msgspec
from django.core.exceptions import ValidationError as FieldError
from django.http import Http404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from msgspec import Meta, Struct
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from apikeys import key_text, lifecycle
from apikeys.actors import Actor, program_actor
from apikeys.api.exceptions import ApiError
from apikeys.api.output import TIME, Count, Time, to_second
from apikeys.api.permissions import resource_not_allowed
from apikeys.lifecycle import NameTaken, StaleKey, StoreSuspended
from apikeys.models import ApiKey as StoredKey
from apikeys.models import ApiKeyQuerySet
from apikeys.models.state import BY_NAME, STATES
from apikeys.reach import BeyondOwnAccess, ProgramStopped
from apikeys.usage import reports
from apikeys.usage.periods import Period
from apikeys.validators import MAX_ADDRESSES, MAX_NOTE_LENGTH, clean_addresses, clean_key_name, clean_note
from stores.resources import SCOPES, Resource

MAX_EXPIRES_IN = 365 * 86400
MAX_OVERLAP = 7 * 86400

Value = TypeVar("Value")


class Person(Struct, tag_field="type", tag="person"):
    name: Annotated[str | None, Meta(description="Their e-mail address; null once the account is gone.")]


class Program(Struct, tag_field="type", tag="api_key"):
    prefix: Annotated[str | None, Meta(description="The key of the program; null once it is deleted.")]


class ApiKey(Struct):
    object: Annotated[Literal["api_key"], Meta(description="Always `api_key`.")]
    prefix: Annotated[str, Meta(pattern="^[0-9a-f]{7}$", description="The part of the key before the dot.")]
    name: Annotated[str, Meta(description="Its name, unique among the store's keys.")]
    note: Annotated[str, Meta(description="What its owner noted about it.")]
    access: Annotated[list[str], Meta(description="Its scopes. Write implies read.")]
    expires_at: Annotated[Time | None, Meta(description=f"Until when it works; null for ever. {TIME}")]
    allowed_addresses: Annotated[
        list[str], Meta(description="The addresses and networks it works from; empty for any.")
    ]
    status: Annotated[
        str, Meta(description="What it is in a word.", extra_json_schema={"enum": list(BY_NAME)})
    ]
    created_at: Annotated[Time, Meta(description=f"When it was made. {TIME}")]
    created_by: Annotated[Person | Program, Meta(description="Who made it.")]
    last_used_at: Annotated[
        Time | None, Meta(description=f"Its newest request that was let in; null for none. {TIME}")
    ]
    last_tried_at: Annotated[
        Time | None, Meta(description=f"Its newest request, refused or not; null for none. {TIME}")
    ]
    requests_30d: Annotated[Count, Meta(description="Its requests of the last 30 days.")]
    refused_30d: Annotated[Count, Meta(description="How many of them were refused.")]
    successor: Annotated[str | None, Meta(description="The prefix of the key that took its place.")]
    predecessor: Annotated[str | None, Meta(description="The prefix of the key whose place it took.")]


class NewApiKey(ApiKey):
    key: Annotated[str, Meta(description="The whole key. It is never shown again.")]


def describe_keys(keys: list[StoredKey]) -> list[ApiKey]:
    """Build the objects of keys, with three queries however many there are."""
    periods = reports.of_keys(keys)
    replaced = StoredKey.objects.filter(predecessor__in=keys).order_by("pk")
    successors = dict(replaced.values_list("predecessor", "prefix"))
    return [ApiKey(**_members(key, periods[key.pk], successors.get(key.pk))) for key in keys]


def describe_new_key(key: StoredKey, plaintext: str) -> NewApiKey:
    """Build the answer that shows a key, this once."""
    return NewApiKey(**_members(key, reports.of_keys([key])[key.pk], None), key=plaintext)


def _members(key: StoredKey, period: Period, successor: str | None) -> dict[str, Any]:
    is_by_person = key.created_by is not None or key.made_by is None
    return {
        "object": "api_key",
        "prefix": key.prefix,
        "name": key.name,
        "note": key.note,
        "access": key.access,
        "expires_at": to_second(key.expires_at) if key.expires_at else None,
        "allowed_addresses": key.allowed_addresses,
        "status": key.status,
        "created_at": to_second(key.created_at),
        "created_by": Person(key.created_by.email if key.created_by else None)
        if is_by_person
        else Program(key.made_by.prefix if key.made_by else None),
        "last_used_at": to_second(key.last_used_at) if key.last_used_at else None,
        "last_tried_at": to_second(key.last_tried_at) if key.last_tried_at else None,
        "requests_30d": period.total,
        "refused_30d": period.refused,
        "successor": successor,
        "predecessor": key.predecessor.prefix if key.predecessor else None,
    }


class StrictSerializer(serializers.Serializer[Any]):
    """Refuses fields that it does not know: nothing that a client sends is ignored."""

    def to_internal_value(self, data: Any) -> Any:
        unknown = set(data) - set(self.fields) if isinstance(data, Mapping) else ()
        if unknown:
            raise ValidationError({name: ["This field is unknown or cannot be written."] for name in unknown})
        return super().to_internal_value(data)


class ApiKeySerializer(StrictSerializer):
    """The body that creates a key, or with ``partial`` changes one."""

    name = serializers.CharField(max_length=100)
    note = serializers.CharField(max_length=MAX_NOTE_LENGTH, required=False, allow_blank=True)
    access = serializers.ListField(
        child=serializers.ChoiceField(choices=[(scope, scope) for scope in SCOPES]),
        allow_empty=False,
        max_length=len(SCOPES),
    )
    expires_in = serializers.IntegerField(
        min_value=60,
        max_value=MAX_EXPIRES_IN,
        required=False,
        help_text="In how many seconds it ends; instead of `expires_at`.",
    )
    expires_at = serializers.DateTimeField(required=False)
    allowed_addresses = serializers.ListField(
        child=serializers.CharField(max_length=49), max_length=MAX_ADDRESSES, required=False
    )

    def validate_name(self, name: str) -> str:
        return _cleaned(clean_key_name, name)

    def validate_note(self, note: str) -> str:
        return _cleaned(clean_note, note)

    def validate_allowed_addresses(self, texts: list[str]) -> list[str]:
        return _cleaned(clean_addresses, texts)

    def validate_expires_at(self, expires_at: datetime) -> datetime:
        if expires_at <= timezone.now():
            raise ValidationError("This is in the past.")
        return expires_at

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
        required=False, help_text="When it turns back on; without it, when somebody reactivates it."
    )

    def validate_until(self, until: datetime) -> datetime:
        if until <= timezone.now():
            raise ValidationError("This is in the past.")
        return until


class KeyFilters(StrictSerializer):
    status = serializers.ChoiceField(
        choices=[(state.name, state.name) for state in STATES],
        required=False,
        help_text="Only keys that are this, be it their `status` or not.",
    )
    access = serializers.ChoiceField(
        choices=[(scope, scope) for scope in SCOPES], required=False, help_text="Only keys with this scope."
    )
    created_by = serializers.RegexField(
        "^(person|[0-9a-f]{7})$", required=False, help_text="`person`, or the prefix of a key."
    )
    search = serializers.CharField(
        max_length=100, required=False, help_text="Only keys with this in their name, note or prefix."
    )

    def filter(self, keys: ApiKeyQuerySet) -> ApiKeyQuerySet:
        """Return those of the keys that the valid parameters ask for."""
        wanted = self.validated_data
        if status := wanted.get("status"):
            keys = keys.in_state(status)
        if access := wanted.get("access"):
            keys = keys.granting(access)
        if created_by := wanted.get("created_by"):
            maker = {"made_by": None} if created_by == "person" else {"made_by__prefix": created_by}
            keys = keys.filter(**maker)
        if search := wanted.get("search"):
            keys = keys.search(key_text.search_term(search))
        return keys


class ApiKeyViewSet(GenericViewSet[Any]):
    """Keys of the store in the address, each under its prefix."""

    resource = Resource.API_KEYS
    lookup_field = "prefix"
    lookup_value_regex = "[0-9a-f]{7}"
    http_method_names = ["get", "post", "patch", "delete", "head", "options"]
    serializer_class = ApiKeySerializer
    filter_backends = ()
    queryset = StoredKey.objects.order_by("-created_at", "-pk")

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        paging: list[Any] = self.paginator.get_schema_operation_parameters(self) if self.paginator else []
        known = [*KeyFilters().fields, *(one["name"] for one in paging)] if self.action == "list" else []
        errors = {
            name: [f"Unknown query parameter. This address takes {', '.join(known) or 'none'}."]
            for name, value in request.query_params.items()
            if name not in known and value not in {"", "undefined"}
        }
        if errors:
            raise ValidationError(errors)

    def get_queryset(self) -> ApiKeyQuerySet:
        keys = StoredKey.objects.for_store(self.program.store).kept().order_by("-created_at", "-pk")
        return keys.select_related("store", "last_use", "created_by", "made_by", "predecessor")

    def get_ordering(self) -> tuple[str, ...]:
        """Return the order of the list, which cursors follow."""
        return ("-created_at", "-id")

    @property
    def program(self) -> StoredKey:
        """The key that the request came with."""
        return cast("StoredKey", self.request.auth)

    @property
    def actor(self) -> Actor:
        return program_actor(self.request._request, self.program)

    def get_key(self) -> StoredKey:
        """Return the key in the address. Raises Http404."""
        key = self.get_queryset().filter(prefix=self.kwargs["prefix"]).first()
        if key is None:
            raise Http404
        return key

    def read_body(self, serializer_class: type[StrictSerializer]) -> dict[str, Any]:
        return self.validate(serializer_class(data=self.request.data))

    def validate(self, body: StrictSerializer) -> dict[str, Any]:
        body.is_valid(raise_exception=True)
        valid: dict[str, Any] = body.validated_data
        return valid

    def answer(self, key: StoredKey) -> Response:
        """Return the key as it is now."""
        return Response(describe_keys([self.get_queryset().get(pk=key.pk)])[0])

    @extend_schema(
        operation_id="list_api_keys",
        summary="List API keys",
        responses=ApiKey,
        parameters=[KeyFilters],
    )
    def list(self, request: Request, **kwargs: Any) -> Response:
        names = KeyFilters().fields.keys() & {name for name, value in request.query_params.items() if value}
        filters = KeyFilters(data={name: request.query_params[name] for name in names})
        filters.is_valid(raise_exception=True)
        page: Any = self.paginate_queryset(filters.filter(self.get_queryset()).with_status())
        return self.get_paginated_response(describe_keys(page))

    @extend_schema(operation_id="get_api_key_of_store", summary="Get an API key", responses=ApiKey)
    def retrieve(self, request: Request, **kwargs: Any) -> Response:
        return Response(describe_keys([self.get_key()])[0])

    @extend_schema(
        operation_id="create_api_key",
        summary="Create an API key",
        description="It gets at most what the program's own key has, never `api_keys`, and ends in a year.",
        request=ApiKeySerializer,
        responses={201: NewApiKey},
    )
    def create(self, request: Request, **kwargs: Any) -> Response:
        body = self.read_body(ApiKeySerializer)
        with errors_of_the_api(self.program):
            key, plaintext = lifecycle.create_key(store=self.program.store, by=self.actor, **body)
        location = self.reverse_action("detail", kwargs={**self.kwargs, "prefix": key.prefix})
        return Response(describe_new_key(key, plaintext), status=201, headers={"Location": location})

    @extend_schema(
        operation_id="update_api_key",
        summary="Update an API key",
        description="Only a key that the program's own key made, or one that this made. A member that "
        "is sent as it is now is no change; leave out those that its requests count up.",
        request=ApiKeySerializer(partial=True),
        responses=ApiKey,
    )
    def partial_update(self, request: Request, **kwargs: Any) -> Response:
        key = self.get_key()
        body = self.validate(ApiKeySerializer(data=changes_of(key, request.data), partial=True))
        with errors_of_the_api(self.program):
            lifecycle.update_key(key, by=self.actor, version=key.version, **cast("Any", body))
        return self.answer(key)

    @extend_schema(operation_id="delete_api_key", summary="Delete an API key", responses={204: None})
    def destroy(self, request: Request, **kwargs: Any) -> Response:
        key = self.get_key()
        with errors_of_the_api(self.program):
            lifecycle.delete_key(key, by=self.actor)
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
        key, body = self.get_key(), self.read_body(RollSerializer)
        with errors_of_the_api(self.program):
            rolled = lifecycle.roll_key(key, by=self.actor, overlap=timedelta(seconds=body["overlap"]))
        return Response(describe_new_key(*rolled), status=201)

    @extend_schema(
        operation_id="deactivate_api_key",
        summary="Deactivate an API key",
        request=DeactivateSerializer,
        responses=ApiKey,
    )
    @action(detail=True, methods=["post"])
    def deactivate(self, request: Request, **kwargs: Any) -> Response:
        key, body = self.get_key(), self.read_body(DeactivateSerializer)
        with errors_of_the_api(self.program):
            lifecycle.deactivate_key(key, by=self.actor, until=body.get("until"))
        return self.answer(key)

    @extend_schema(
        operation_id="reactivate_api_key",
        summary="Reactivate an API key",
        request=None,
        responses=ApiKey,
    )
    @action(detail=True, methods=["post"])
    def reactivate(self, request: Request, **kwargs: Any) -> Response:
        key = self.get_key()
        refuse_body(request)
        with errors_of_the_api(self.program):
            lifecycle.reactivate_key(key, by=self.actor, version=key.version)
        return self.answer(key)


@contextmanager
def errors_of_the_api(program: StoredKey) -> Iterator[None]:
    """Raise what the lifecycle refuses as errors of the API."""
    try:
        yield
    except BeyondOwnAccess as error:
        if error.missing:
            raise resource_not_allowed(required=" ".join(error.missing), granted=program.access) from error
        raise ApiError("beyond_own_access", str(error), fields={error.what: [str(error)]}) from error
    except ProgramStopped as error:
        raise ApiError("api_key_inactive") from error
    except NameTaken as error:
        taken = "Another key of this store has this name."
        raise ApiError("conflict", taken, fields={"name": [taken]}) from error
    except StoreSuspended as error:
        raise ApiError("conflict", str(error)) from error
    except StaleKey as error:
        raise ApiError("conflict", "The key is not in a state in which this can be done to it.") from error
    except StoredKey.DoesNotExist as error:
        raise Http404 from error


def changes_of(key: StoredKey, sent: Any) -> Any:
    """Return what a merge patch (RFC 7396) changes in a key: what can be read can be sent back."""
    current = msgspec.to_builtins(describe_keys([key])[0])
    if not isinstance(sent, Mapping):
        return sent
    return {name: value for name, value in sent.items() if name not in current or value != current[name]}


def refuse_body(request: Request) -> None:
    """Raise ValidationError where an operation that takes no fields is sent some."""
    StrictSerializer(data=request.data).is_valid(raise_exception=True)


def _cleaned(clean: Callable[[Value], Value], value: Value) -> Value:
    """Return what ``clean`` makes of a value. Raises DRF's ValidationError."""
    try:
        return clean(value)
    except FieldError as error:
        raise ValidationError(error.messages) from error
