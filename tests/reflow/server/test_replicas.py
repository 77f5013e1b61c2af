"""The lag of a replica, by where the primary's log ended and how much of it has been replayed."""

from datetime import UTC, datetime, timedelta
from math import inf

import pytest
from django.db import DEFAULT_DB_ALIAS
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from apikeys.models import ApiKey, LoggedRequest
from reflow.server import replicas
from reflow.server.replica_router import ReplicaMiddleware, ReplicaRouter
from reflow.server.replicas import Replica, Sample, State
from stores.models import Product

START = datetime(2026, 11, 26, 12, tzinfo=UTC)


def sample(second: int, position: int) -> Sample:
    return Sample(float(second), START + timedelta(seconds=second), position)


@pytest.mark.parametrize(
    ("steps", "lag"),
    [
        ([(sample(0, 100), 100)], 0),
        ([(sample(0, 100), 50)], inf),
        ([(sample(0, 100), 100), (sample(1, 200), 199)], 1),
        ([(sample(0, 100), 50), (sample(1, 200), 60), (sample(2, 300), 250)], 1),
        # Nothing is written for a while: nobody is behind.
        ([(sample(0, 100), 100), (sample(60, 100), 100)], 0),
        # Another server is the primary now, whose log is shorter.
        ([(sample(0, 900), 100), (sample(1, 100), 100)], 0),
    ],
)
def test_the_lag_is_the_age_of_what_has_arrived_in_full(steps: list[tuple[Sample, int]], lag: float) -> None:
    replica = Replica("replica1")
    for newest, replayed in steps:
        replica.note(newest, replayed)
    assert replica.lag == lag


def test_no_replica_is_chosen_before_it_was_checked() -> None:
    replica = Replica("replica1")
    assert replica.state is State.UNCHECKED
    assert not replica.can_answer(None)


def test_outside_of_requests_everything_is_on_the_primary_and_migrations_always_are() -> None:
    router = ReplicaRouter()
    for model in (ApiKey, LoggedRequest, Product):
        assert router.db_for_read(model) == router.db_for_write(model) == DEFAULT_DB_ALIAS
    assert router.allow_migrate(DEFAULT_DB_ALIAS, "stores")
    assert not router.allow_migrate("replica1", "stores")


@pytest.mark.parametrize(("writes", "answered"), [(False, 2), (True, 1)])
def test_a_request_is_answered_again_unless_it_has_written(
    rf: RequestFactory, monkeypatch: pytest.MonkeyPatch, *, writes: bool, answered: int
) -> None:
    replica = Replica("replica1")
    monkeypatch.setattr(Replica, "state", State.OK)
    monkeypatch.setattr(Replica, "can_answer", lambda self, changed_at: True)
    monkeypatch.setattr(replicas, "replicas", lambda: [replica])
    router, answers = ReplicaRouter(), []

    def answer(request: HttpRequest) -> HttpResponse:
        answers.append(router.db_for_read(Product))
        if writes:
            router.db_for_write(ApiKey)
            assert router.db_for_read(Product) == DEFAULT_DB_ALIAS
        return HttpResponse(status=503)

    ReplicaMiddleware(answer)(rf.get("/v1/stores/267418190/products/"))
    assert answers == ["replica1", DEFAULT_DB_ALIAS][:answered]
