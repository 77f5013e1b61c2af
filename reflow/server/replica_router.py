"""The choice of the database that a request's queries go to, where there are read replicas."""

from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from http import HTTPStatus
from time import perf_counter
from typing import Any

from django.conf import settings
from django.core.signals import request_finished
from django.db import DEFAULT_DB_ALIAS
from django.db.models import Model
from django.db.models.functions import Now
from django.http import HttpRequest, HttpResponse

from apikeys.models import HourlyUsage, LoggedRequest, StoreUsage, Usage
from reflow.api.addresses import is_api_path
from reflow.server.replicas import Replica, State, choose_replica
from stores.models import Store

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
SHOP = Store._meta.app_label
# https://docs.djangoproject.com/en/5.2/topics/cache/#multiple-databases
CACHE = "django_cache"
USAGE_MODELS = frozenset({HourlyUsage, LoggedRequest, StoreUsage, Usage})


@dataclass
class Reads:
    """The database that the reads of a request go to. The choice of the first of them holds for all.

    Whoever asks is known by then. Its key and, on an owner's page, ``request.store`` were read
    from the primary.
    """

    request: HttpRequest
    replica: Replica | None = None
    is_chosen: bool = False
    has_written: bool = False

    def choose_database(self, model: type[Model]) -> str:
        if not self.is_replicated(model):
            return DEFAULT_DB_ALIAS
        if not self.is_chosen:
            self.is_chosen = True
            self.replica = choose_replica(self.store.changed_at if self.store else None)
        if self.has_written or self.replica is None or self.replica.state is not State.OK:
            return DEFAULT_DB_ALIAS
        return self.replica.alias

    @property
    def store(self) -> Store | None:
        """The store that the key is of, or the page; None for a request without a key."""
        call = getattr(self.request, "api_call", None)
        return call.key.store if call and call.key else getattr(self.request, "store", None)

    def is_replicated(self, model: type[Model]) -> bool:
        if is_api_path(self.request.path):
            return model._meta.app_label == SHOP or model in USAGE_MODELS
        return model in USAGE_MODELS and self.store is not None


# None outside of requests, and in those that change something.
reads: ContextVar[Reads | None] = ContextVar("reads", default=None)


class ReplicaRouter:
    """https://docs.djangoproject.com/en/5.2/topics/db/multi-db/#using-routers"""

    def db_for_read(self, model: type[Model], **hints: Any) -> str:
        current = reads.get()
        return current.choose_database(model) if current else DEFAULT_DB_ALIAS

    def db_for_write(self, model: type[Model], **hints: Any) -> str:
        current = reads.get()
        # What is in the cache may be written twice.
        if current and model._meta.app_label != CACHE:
            current.has_written = True
        return DEFAULT_DB_ALIAS

    def allow_relation(self, obj1: Model, obj2: Model, **hints: Any) -> bool:
        return True

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool:
        return db == DEFAULT_DB_ALIAS


class ReplicaMiddleware:
    """Lets a request read from replicas if it changes nothing, and notes the change of a store if it does.

    The innermost middleware: what it answers once more is the view alone.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        request_finished.connect(forget_reads)

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.read(request) if request.method in SAFE_METHODS else self.change(request)

    def read(self, request: HttpRequest) -> HttpResponse:
        """Answer a request; once more, from the primary, where the replica has failed it.

        Nothing happens twice: a request that has written something reads from the primary from then on, and
        is not answered again.
        """
        began = perf_counter()
        current = Reads(request)
        reads.set(current)
        response = self.get_response(request)
        # The rows of a file are read as they are sent.
        if not response.streaming:
            reads.set(None)
        if (
            response.status_code != HTTPStatus.SERVICE_UNAVAILABLE
            or current.replica is None
            or current.has_written
        ):
            return response
        if 0 < settings.DATABASE_TIMEOUT_SECONDS <= perf_counter() - began:
            return response  # a query took too long, and would there as well
        current.replica.leave_out()
        return self.get_response(request)

    def change(self, request: HttpRequest) -> HttpResponse:
        """Answer a request; the change of a store is noted once it is committed."""
        reads.set(None)
        response = self.get_response(request)
        match = request.resolver_match
        if match and "store_id" in match.kwargs and response.status_code < HTTPStatus.BAD_REQUEST:
            Store.objects.filter(pk=match.kwargs["store_id"]).update(changed_at=Now())
        return response


def forget_reads(**kwargs: Any) -> None:
    """Receive ``request_finished``, after the last row of a file."""
    reads.set(None)
