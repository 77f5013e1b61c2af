"""Rehearsals: the forecast is what happens when the change is made and the same requests come again."""

from datetime import timedelta
from typing import Any, NamedTuple
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from apikeys.insight.rehearsal import DAYS, rehearse, with_changes
from apikeys.models import ApiKey, LoggedRequest
from apikeys.usage import writer
from apikeys.usage.batch import Batch, KeyRequest
from stores.resources import with_implied
from tests.conftest import IssueKey, bearer
from tests.key_requests import count_usage, make_request

STORE = "/v1/stores/267418190"
HTMX = {"HX-Request": "true"}
ADDRESSES = ["192.0.2.1", "192.0.2.77", "203.0.113.9", "2001:db8::1"]
ALLOWED = st.lists(st.sampled_from(["192.0.2.0/24", "203.0.113.9", "2001:db8::/32"]), unique=True, max_size=2)
ACCESS = st.lists(
    st.sampled_from(["orders:read", "orders:write", "customers:read", "products:read"]),
    min_size=1,
    max_size=3,
).map(with_implied)


class Call(NamedTuple):
    method: str
    path: str
    address: str


CALLS = st.builds(
    Call,
    st.sampled_from(["GET", "PATCH", "OPTIONS"]),
    st.sampled_from([
        f"{STORE}/orders/1/", f"{STORE}/customers/", f"{STORE}/products/", "/v1/api-key/", f"{STORE}/",
        "/v1/stores/518203746/orders/",
    ]),
    st.sampled_from(ADDRESSES),
)  # fmt: skip
COLUMNS = st.fixed_dictionaries(
    {
        "access": ACCESS,
        "allowed_addresses": ALLOWED,
        "expires_at": st.sampled_from([None, timedelta(days=1), timedelta(days=-1)]),
        "deactivated_at": st.sampled_from([None, None, timedelta(days=-1)]),
    }
)


def moments(columns: dict[str, Any]) -> dict[str, Any]:
    now = timezone.now()
    return {name: now + value if isinstance(value, timedelta) else value for name, value in columns.items()}


def is_refused(client: Client, plaintext: str, call: Call) -> bool:
    response = client.generic(
        call.method, call.path, content_type="application/json",
        headers=bearer(plaintext), REMOTE_ADDR=call.address,
    )  # fmt: skip
    return response.status_code in {401, 403}


@pytest.mark.django_db
@pytest.mark.usefixtures("other_store")
@hypothesis_settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(before=COLUMNS, after=COLUMNS, calls=st.lists(CALLS, min_size=1, max_size=6))
def test_the_forecast_is_what_happens(
    client: Client, issue: IssueKey, before: dict[str, Any], after: dict[str, Any], calls: list[Call]
) -> None:
    LoggedRequest.objects.all().delete()
    key, plaintext = issue()
    ApiKey.objects.filter(pk=key.pk).update(**moments(before))
    refused = [is_refused(client, plaintext, call) for call in calls]
    key.refresh_from_db()
    forecast = rehearse(with_changes(key, **moments(after)))
    ApiKey.objects.filter(pk=key.pk).update(**moments(after))
    again = [is_refused(client, plaintext, call) for call in calls]
    pairs = list(zip(refused, again, strict=True))
    assert (forecast.works, forecast.fails) == (pairs.count((False, False)), pairs.count((False, True)))
    assert (forecast.refused, forecast.mended) == (sum(refused), pairs.count((True, False)))
    assert sum(group.requests for group in forecast.failing) == forecast.fails


def log(key: ApiKey, *requests: KeyRequest) -> None:
    """Log requests without counting them."""
    batch = Batch(uuid4(), 1)
    for request in requests:
        batch.add_to_log(request)
    writer.write(batch)


def test_two_thousand_groups_take_one_query_and_one_of_the_counts(key: ApiKey) -> None:
    now = timezone.now()
    log(key, *(
        make_request(key, at=now, address=f"10.0.{n % 250}.{n // 250}", client=f"Client {n}")
        for n in range(2_000)
    ))  # fmt: skip
    changed = with_changes(key, allowed_addresses=["10.0.0.0/17"])
    with CaptureQueriesContext(connection) as queries:
        forecast = rehearse(changed)
    assert (forecast.total, len(queries)) == (2_000, 2)
    assert forecast.fails == 2_000 - 8 * 128


@pytest.mark.usefixtures("within_a_minute")
def test_days_that_are_not_logged_are_judged_by_their_access(issue: IssueKey, settings: Any) -> None:
    settings.REQUEST_LOG_DAYS = 3
    key, _ = issue(access=["orders:write"])
    now = timezone.now()
    log(key, make_request(key, at=now), make_request(key, at=now - timedelta(days=20)))
    for days, scope, outcome in (
        (0, "orders:read", "succeeded"),  # it is logged
        (DAYS - 1, "orders:write", "succeeded"),
        (DAYS - 1, "orders:read", "failed"),
        (DAYS - 1, "orders:", "refused"),
        (DAYS, "orders:write", "succeeded"),
    ):
        count_usage(key, 10, scope=scope, outcome=outcome, days_ago=days)
    forecast = rehearse(with_changes(key, access=["orders:read"]))
    assert (forecast.works, forecast.fails, forecast.refused, forecast.is_logged) == (11, 10, 10, False)


def test_callers_with_the_most_requests_are_named_first(key: ApiKey) -> None:
    now = timezone.now()
    log(
        key,
        *(make_request(key, at=now, address="203.0.113.9", client="curl/8") for _ in range(2)),
        make_request(
            key, at=now, address="203.0.113.9", client="curl/8", status_code=404, reason="not_found"
        ),
        make_request(key, at=now, address="192.0.2.1"),
    )
    first, second = rehearse(with_changes(key, deactivated_at=timezone.now())).failing
    assert (first.scope, first.address, first.client, first.requests) == (
        "orders:read", "203.0.113.9", "curl/8", 3,
    )  # fmt: skip
    assert second.address == "192.0.2.1"


@pytest.fixture
def called(issue: IssueKey) -> ApiKey:
    """A key that read orders from one address, and was refused from another."""
    key, _ = issue(name="A", access=["orders:read", "customers:read"])
    refused = {"status_code": 401, "reason": "address_not_allowed", "address": "192.0.2.1"}
    now = timezone.now()
    log(key, make_request(key, at=now, address="203.0.113.9"), make_request(key, at=now, **refused))
    return key


def rehearsed(client: Client, key: ApiKey, headers: Any = HTMX, **typed: Any) -> str:
    """Return what the open dialog is told of the settings that are typed."""
    form = {"name": "A", "access": ["orders:read"], "expiry": "never", "allowed_addresses": ""}
    url = f"/stores/{key.store_id}/settings/api-keys/{key.prefix}/rehearse/"
    return client.post(url, form | typed, headers=headers).text


def test_the_open_dialog_tells_the_forecast_of_what_is_ticked(signed_in: Client, called: ApiKey) -> None:
    edit = signed_in.get(f"/stores/{called.store_id}/settings/api-keys/{called.prefix}/edit/").text
    assert "<b>1</b> of the <b>1</b> request" in edit
    assert "It is called from 203.0.113.9." in edit
    fragment = rehearsed(signed_in, called, access=["customers:read"], name="")
    assert "<b>1</b> would not" in fragment
    assert "orders:read" in fragment
    assert "<html" not in fragment
    assert "<b>1</b> would not" in rehearsed(signed_in, called, {}, access=["customers:read"])
    assert "Choose at least one resource" in rehearsed(signed_in, called, access=[])
    called.refresh_from_db()
    assert called.version == 1


def test_rehearse_never_takes_an_open_form_away(signed_in: Client, key: ApiKey) -> None:
    url = f"/stores/{key.store_id}/settings/api-keys/{key.prefix}/rehearse/"
    assert Client().post(url, headers=HTMX).status_code == 286
    assert Client().post(url).status_code == 302
    ApiKey.objects.all().delete()
    assert signed_in.post(url, headers=HTMX).status_code == 404


@pytest.mark.parametrize(
    ("days", "works"),
    [(30, "<b>1</b> of the <b>1</b>"), (-1, "While it worked in the last 14 days, it made 1 request;")],
)
def test_a_forecast_with_the_expiry_kept_is_by_that(
    signed_in: Client, called: ApiKey, days: int, works: str
) -> None:
    ApiKey.objects.update(expires_at=timezone.now() + timedelta(days=days))
    assert works in rehearsed(signed_in, called, expiry="keep")
