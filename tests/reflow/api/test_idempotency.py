"""A POST that is sent again with its Idempotency-Key: one object, one answer, readable by its key alone."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from io import BytesIO
from threading import Event
from typing import Any

import pytest
import time_machine
from cryptography.fernet import InvalidToken
from django.db import close_old_connections, connection
from django.test import Client
from django.utils import timezone

from apikeys.models import ApiKey, KeptAnswer
from reflow.api import idempotency
from stores.models import Coupon
from tests.conftest import IssueKey, bearer

COUPONS = "/v1/stores/267418190/coupons/"
ROLL = "/v1/api-key/roll/"
BODY = {"code": "WINTER", "kind": "percent", "value": 10, "starts_at": "2026-12-01T00:00:00Z"}


@pytest.fixture
def key(issue: IssueKey) -> str:
    return issue(access=["coupons:write"])[1]


def post(key: str, name: str = "a-uuid", body: Any = BODY, url: str = COUPONS) -> Any:
    client = Client(headers=bearer(key), raise_request_exception=False)
    return client.post(url, body, "application/json", headers={"Idempotency-Key": name})


def test_the_same_request_gets_the_first_answer_again(key: str) -> None:
    first, again = post(key), post(key)
    assert (first.status_code, "Idempotent-Replayed" in first.headers) == (201, False)
    assert (again.status_code, again["Idempotent-Replayed"]) == (201, "true")
    assert again.content == first.content
    assert (again["Location"], again["ETag"]) == (first["Location"], first["ETag"])
    assert Coupon.objects.count() == 1


def test_an_error_of_the_client_is_answered_again(key: str) -> None:
    first, again = post(key, body={}), post(key, body={})
    assert (first.status_code, again.status_code) == (400, 400)
    assert again.json() == first.json()
    assert again["Idempotent-Replayed"] == "true"


def test_another_request_with_its_key_is_refused(key: str) -> None:
    post(key)
    for other in (post(key, body=BODY | {"value": 20}), post(key, url=COUPONS.removesuffix("/"))):
        assert (other.status_code, other.json()["code"]) == (422, "idempotency_mismatch")
    assert Coupon.objects.count() == 1


def test_another_name_or_api_key_is_another_request(key: str, issue: IssueKey) -> None:
    post(key)
    _, colleague = issue(access=["coupons:write"])
    for response in (post(key, "another"), post(colleague)):
        assert response.status_code in {400, 409}  # the code is taken
        assert "Idempotent-Replayed" not in response.headers


def test_a_malformed_idempotency_key_is_named(key: str) -> None:
    for name in ("", " ", "x" * 256, "é", "two words"):
        response = post(key, name)
        assert (response.status_code, list(response.json()["fields"])) == (400, ["Idempotency-Key"])
    assert not Coupon.objects.exists()


def test_an_answer_is_kept_for_a_day(key: str) -> None:
    post(key)
    Coupon.objects.all().delete()
    with time_machine.travel(timezone.now() + timedelta(hours=23, minutes=59)):
        assert post(key)["Idempotent-Replayed"] == "true"
    with time_machine.travel(timezone.now() + timedelta(hours=24, minutes=1)):
        assert "Idempotent-Replayed" not in post(key).headers
    assert Coupon.objects.count() == 1


def test_a_key_that_was_switched_off_gets_no_answer_again(key: str) -> None:
    post(key)
    ApiKey.objects.update(deactivated_at=timezone.now())
    assert post(key).status_code == 401


def test_an_answer_that_could_not_be_kept_takes_its_object_back(
    key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(idempotency.Claim, "keep", lambda *_: 1 / 0)
        assert post(key).status_code == 500
    assert not Coupon.objects.exists()
    assert post(key).status_code == 201


def test_too_many_requests_are_not_kept(issue: IssueKey) -> None:
    _, key = issue(renews_days=30)
    successor = post(key, "first", {}, ROLL).json()["key"]
    assert post(successor, "second", {}, ROLL).status_code == 429
    with time_machine.travel(timezone.now() + timedelta(hours=2)):
        assert post(successor, "second", {}, ROLL).status_code == 201


def test_a_kept_answer_is_readable_with_its_api_key_alone(key: str) -> None:
    post(key)
    kept = KeptAnswer.objects.get()
    stored = f"{bytes(kept.answer)!r} {kept.idempotency_digest} {kept.request_digest}"
    assert "WINTER" not in stored
    assert "a-uuid" not in stored
    secret = idempotency.derive_secret(f"{key[:-1]}{'0' if key[-1] != '0' else '1'}")
    with pytest.raises(InvalidToken):
        idempotency.cipher(secret).decrypt(bytes(kept.answer))


@pytest.mark.django_db(transaction=True)
def test_the_same_request_at_once_is_told_to_wait_or_waits(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """On PostgreSQL the second is refused at once; on SQLite it waits for the first."""
    is_inside, may_go_on = Event(), Event()
    keep = idempotency.Claim.keep

    def keep_slowly(*args: Any) -> None:
        is_inside.set()
        may_go_on.wait(60)
        keep(*args)

    def post_and_close() -> Any:
        try:
            return post(key)
        finally:
            close_old_connections()
            connection.close()

    monkeypatch.setattr(idempotency.Claim, "keep", keep_slowly)
    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(post_and_close)
        is_inside.wait(60)
        second = threads.submit(post_and_close)
        if connection.vendor == "postgresql":
            assert (second.result(60).status_code, second.result()["Retry-After"]) == (409, "1")
            assert second.result().json()["code"] == "idempotency_in_progress"
        may_go_on.set()
        assert first.result(60).status_code == 201
        if connection.vendor != "postgresql":
            assert (second.result(60).status_code, second.result()["Idempotent-Replayed"]) == (201, "true")
    assert Coupon.objects.count() == 1


def test_a_body_that_was_cut_off_claims_nothing(key: str) -> None:
    headers = {**bearer(key), "Idempotency-Key": "a-uuid"}
    for sent in (b"", b'{"code":"WINT'):
        half: Any = {"wsgi.input": BytesIO(sent), "CONTENT_LENGTH": "80"}
        cut = Client().post(COUPONS, content_type="application/json", headers=headers, **half)
        assert cut.status_code == 400
    assert post(key).status_code == 201
