"""Requests that were answered are counted, whatever becomes of the process that answered."""

import json
import os
import signal
from contextlib import closing
from http.client import HTTPConnection

import pytest
from django.db import transaction

from apikeys.models import ApiKey, LastUse, StoreUsage, Usage, UsageWriter
from stores.models import Product, Store
from tests.concurrency import wait_until
from tests.conftest import IssueKey, bearer
from tests.programs import children_of
from tests.resilience.conftest import POSTGRESQL, Serve, counted, wait_until_counted
from tests.resilience.load import Load
from tests.server import PATIENCE, Served, call_api
from tests.shop import make_product

pytestmark = pytest.mark.django_db(transaction=True)

PRODUCTS = "/v1/stores/267418190/products/"
NEVER = "3600"


def kill(site: Served) -> None:
    """End every process of it, at once and without a word."""
    os.killpg(site.process.pid, signal.SIGKILL)
    site.process.wait()


@POSTGRESQL
def test_workers_that_are_recycled_reloaded_and_stopped_in_mid_load_count_every_answer(
    serve: Serve, plaintext: str
) -> None:
    site = serve("--workers=1", "--max-requests=50", USAGE_FLUSH_SECONDS=NEVER)
    with Load([site.url], plaintext, writers=0) as calls:
        calls.wait_for(60)
        site.process.send_signal(signal.SIGHUP)
        calls.wait_for(60)
        site.process.terminate()
        site.process.wait(PATIENCE)
    assert calls.served <= counted() <= len(calls.answers)


@POSTGRESQL
def test_a_worker_that_is_aborted_while_a_request_hangs_has_counted(
    serve: Serve, issue: IssueKey, store: Store
) -> None:
    product = make_product(store)
    _, plaintext = issue(access=["products:write"])
    site = serve("--workers=1", USAGE_FLUSH_SECONDS=NEVER)
    assert call_api(site, PRODUCTS, plaintext).status_code == 200
    hanging = HTTPConnection(site.url.removeprefix("http://"))
    with transaction.atomic(), closing(hanging):
        Product.objects.select_for_update().get(pk=product.pk)
        hanging.request(
            "PATCH",
            f"{PRODUCTS}{product.pk}",
            json.dumps({"name": "Later"}),
            bearer(plaintext) | {"Content-Type": "application/json"},
        )
        wait_until(1, "wait_event_type = 'Lock'")
        (worker,) = children_of(site.process.pid)
        os.kill(worker, signal.SIGABRT)
        assert wait_until_counted(0) == 1
        kill(site)


@POSTGRESQL
def test_what_a_killed_server_had_written_stays_and_the_rest_is_its_last_interval(
    serve: Serve, plaintext: str
) -> None:
    site = serve("--workers=1", USAGE_FLUSH_SECONDS="0.3")
    with Load([site.url], plaintext, writers=0) as calls:
        first = wait_until_counted(0)
        answered_before = calls.served
        second = wait_until_counted(first)
        wait_until_counted(second)
        kill(site)
    # The last write seen began when the one before it had ended, and took all that was answered by then.
    assert answered_before <= counted() <= len(calls.answers)


@POSTGRESQL
def test_four_processes_on_one_key_lose_nothing_and_never_wait_for_each_other_in_a_circle(
    serve: Serve, key: ApiKey, plaintext: str
) -> None:
    site = serve("--workers=4", USAGE_FLUSH_SECONDS="0.01")
    with Load([site.url], plaintext, readers=8, writers=0) as calls:
        calls.wait_for(300)
        # Where the machine is busy, one of them has long been serving when the next comes up.
        for _ in range(500):
            if UsageWriter.objects.count() > 1:
                break
            calls.wait_for(10)
    site.process.terminate()
    site.process.wait(PATIENCE)
    assert calls.seen.keys() == {"200"}
    assert counted() == calls.served == StoreUsage.objects.get().requests
    assert LastUse.objects.get().at == Usage.objects.get(key=key).last_at
    assert UsageWriter.objects.count() > 1
    assert "cannot be written" not in site.printed
