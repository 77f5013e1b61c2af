"""One shape for every error, whoever raises it, and what every answer of the API carries."""

import json
import re
import uuid
from typing import Any

import pytest
from django.core.checks import run_checks
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, InterfaceError
from django.http import Http404, HttpRequest, HttpResponse
from django.test import Client, override_settings
from django.urls import include, path
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from reflow.api.errors import answer_invalid
from reflow.urls import handler400, handler403, handler404, handler500
from stores.models import Store
from stores.resources import SCOPES
from tests.conftest import IssueKey, bearer

__all__ = ["handler400", "handler403", "handler404", "handler500"]

RAISED: dict[str, Exception] = {
    "500": ZeroDivisionError("secret detail"),
    "503": InterfaceError("connection already closed"),
    "404": Http404("secret detail"),
    "403": PermissionDenied("secret detail"),
    "conflict": IntegrityError("UNIQUE constraint failed: secret detail"),
}


class RaisingView(APIView):
    permission_classes = ()

    def get(self, request: Request, what: str) -> Response:
        raise RAISED[what]


class ClosedView(APIView):
    """Says nothing about its resource."""


def plain(request: HttpRequest, what: str) -> HttpResponse:
    raise RAISED[what]


urlpatterns = [
    path("v1/raising/<what>", RaisingView.as_view()),
    path("v1/closed", ClosedView.as_view()),
    path("v1/plain/<what>", plain),
    path("pages/<what>", plain),
    path("", include("reflow.urls")),
]


@pytest.fixture
def client() -> Client:
    """Shows what clients get to see, instead of raising it in the test."""
    return Client(raise_request_exception=False)


@pytest.fixture
def url(store: Store) -> str:
    return f"/v1/stores/{store.pk}"


@pytest.fixture
def key(issue: IssueKey) -> dict[str, str]:
    _, plaintext = issue(access=list(SCOPES))
    return bearer(plaintext)


def error(response: Any) -> tuple[int, str]:
    """The status and code of an answer that has the one shape."""
    assert response["Content-Type"] == "application/json"
    body = response.json()
    assert body["error"].strip()
    assert re.fullmatch("[a-z]+(_[a-z]+)*", body["code"])
    assert body["request_id"] == response["X-Request-Id"]
    uuid.UUID(body["request_id"])
    assert "secret detail" not in response.content.decode()
    return response.status_code, body["code"]


# What views answer.


def test_invalid_names_the_fields(client: Client, url: str, key: dict[str, str]) -> None:
    response = client.post(f"{url}/products/", {"price": -1}, "application/json", headers=key)
    assert error(response) == (400, "invalid")
    body = response.json()
    assert body.keys() == {"error", "code", "request_id", "fields"}
    price = "Ensure this value is greater than or equal to 0."
    assert body["fields"] == {"name": ["This field is required."], "price": [price]}
    assert body["error"] == f"name: This field is required.; price: {price}"


def test_a_taken_value_is_a_conflict_where_nothing_else_is_wrong() -> None:
    taken, wrong = ErrorDetail("Taken.", "unique"), ErrorDetail("Wrong.", "invalid")
    for errors, status in (({"code": [taken]}, 409), ({"code": [taken], "value": [wrong]}, 400)):
        assert answer_invalid(ValidationError(errors)).status_code == status


def test_what_is_not_json_says_so(client: Client, url: str, key: dict[str, str]) -> None:
    for body in (b"{", b"\xff", b"{'name': 1}", b'{"a": Infinity}', b"[" * 100_000, b'{"a": 1' + b"0" * 5000):
        response = client.post(f"{url}/products/", body, "application/json", headers=key)
        assert error(response) == (400, "parse_error"), body
        assert response.json().keys() == {"error", "code", "request_id"}


def test_a_body_that_is_no_object_says_so(client: Client, url: str, key: dict[str, str]) -> None:
    for body in (b"", b"null", b"[]", b'"text"', b"7", b"true"):
        response = client.post(f"{url}/products/", body, "application/json", headers=key)
        assert error(response) == (400, "invalid")
        assert response.json()["fields"].keys() == ({"name", "price"} if not body else {"body"})


@override_settings(ROOT_URLCONF=__name__)
@pytest.mark.django_db
def test_a_view_without_a_resource_is_closed_to_everybody_and_found_at_start_up(
    client: Client, key: dict[str, str]
) -> None:
    assert error(client.get("/v1/closed")) == (403, "permission_denied")
    assert error(client.get("/v1/closed", headers=key)) == (403, "permission_denied")
    (found,) = (each.msg for each in run_checks() if each.id == "apikeys.E001")
    assert found == f"{__name__}.ClosedView does not say which resource it serves."


def test_an_unknown_address_names_the_base_path_or_says_to_check_the_ids(client: Client, db: None) -> None:
    for address in ("/v2/", "/v2/stores/267418190/orders/", "/projects/", "/projects/267418190/products"):
        for response in (client.get(address), client.post(address, {}, "application/json")):
            assert error(response) == (404, "not_found")
            assert "Its base path is /v1/" in response.json()["error"]
    for address in ("/v1/", "/v1/nothing", "/v1/stores/1/", "/v1/stores/267418190x"):
        response = client.get(address)
        assert error(response) == (404, "not_found")
        assert response.json()["error"] == "There is nothing at this address: check the ids in it."


def test_another_method_is_not_allowed(client: Client, url: str, key: dict[str, str]) -> None:
    response = client.put(f"{url}/products/?unknown=1", headers=key)
    assert error(response) == (405, "method_not_allowed")
    assert set(response["Allow"].split(", ")) == {"GET", "POST", "HEAD", "OPTIONS"}
    assert error(client.generic("BREW", f"{url}/orders/", headers=key)) == (405, "method_not_allowed")


def test_a_byte_order_mark_before_a_body_is_ignored(client: Client, url: str, key: dict[str, str]) -> None:
    body = b'\xef\xbb\xbf{"name": "Mug", "price": 1}'
    response = client.post(f"{url}/products/", body, "application/json", headers=key)
    assert (response.status_code, response.json()["name"]) == (201, "Mug")


def test_a_body_has_a_largest_size(client: Client, url: str, key: dict[str, str]) -> None:
    body = json.dumps({"name": "x" * 1024 * 1024})
    response = client.post(f"{url}/products", body, "application/json", headers=key)
    assert error(response) == (413, "too_large")
    assert "1,048,576 bytes" in response.json()["error"]


def test_only_json_is_understood(client: Client, url: str, key: dict[str, str]) -> None:
    form = "application/x-www-form-urlencoded"
    for content_type in ("text/plain", form, "multipart/form-data; boundary=x", "x"):
        response = client.post(f"{url}/products/", b"name=Mug", content_type, headers=key)
        assert error(response) == (415, "unsupported_media_type")
        assert "'Content-Type: application/json'" in response.json()["error"]


def test_a_change_is_json_or_a_merge_patch(client: Client, url: str, key: dict[str, str]) -> None:
    product = client.post(f"{url}/products", {"name": "Mug", "price": 1}, "application/json", headers=key)
    address = f"{url}/products/{product.json()['id']}"
    for name, content_type in (
        ("Cup", "application/json"),
        ("Jug", "application/merge-patch+json; charset=utf-8"),
    ):
        changed = client.patch(address, json.dumps({"name": name}), content_type, headers=key)
        assert (changed.status_code, changed.json()["name"]) == (200, name)


def test_browsers_and_programs_get_json(client: Client, url: str) -> None:
    for accept in ("*/*", "application/json", "text/html", "text/html, application/xhtml+xml;q=0.9"):
        for address, status in ((f"{url}/products/", 200), (f"{url}/orders/", 401), ("/v1/nothing", 404)):
            response = client.get(address, headers={"Accept": accept})
            assert (response.status_code, response["Content-Type"]) == (status, "application/json")


def test_another_format_is_refused_by_name(client: Client, url: str) -> None:
    for accept in ("application/xml", "text/csv, image/*;q=0.5", "x"):
        response = client.get(f"{url}/products/", headers={"Accept": accept})
        assert error(response) == (406, "not_acceptable")
        assert "'Accept: application/json'" in response.json()["error"]


def test_too_many_parameters_are_refused(client: Client, url: str) -> None:
    assert error(client.get(f"{url}/products?{'a=1&' * 1001}")) == (400, "bad_request")


@override_settings(ROOT_URLCONF=__name__)
@pytest.mark.django_db
@pytest.mark.parametrize(
    ("what", "code"),
    [
        ("500", "server_error"),
        ("503", "unavailable"),
        ("404", "not_found"),
        ("403", "permission_denied"),
    ],
)
def test_what_is_raised_is_told_and_its_details_are_not(client: Client, what: str, code: str) -> None:
    assert error(client.get(f"/v1/raising/{what}")) == (int(what), code)
    assert error(client.get(f"/v1/plain/{what}")) == (int(what), code)
    page = client.get(f"/pages/{what}")
    assert (page.status_code, page["Content-Type"]) == (int(what), "text/html; charset=utf-8")
    assert b"secret detail" not in page.content


@override_settings(ROOT_URLCONF=__name__)
def test_what_the_database_refuses_is_a_conflict(client: Client) -> None:
    assert error(client.get("/v1/raising/conflict")) == (409, "conflict")


# What every answer carries.

AN_ID = "0b1f2a3c-4d5e-4f60-8172-93a4b5c6d7e8"


def test_every_answer_has_an_id_of_its_own_or_that_of_the_client(client: Client, url: str) -> None:
    addresses = (f"{url}/products/", f"{url}/orders/", "/v1/nothing", "/accounts/login/")
    assert len({client.get(address)["X-Request-Id"] for address in addresses}) == len(addresses)
    assert client.get(addresses[1], headers={"X-Request-Id": AN_ID}).json()["request_id"] == AN_ID


def test_another_id_is_replaced(client: Client, url: str) -> None:
    for given in (
        "1",
        "x" * 10_000,
        f"{AN_ID}\r\nSet-Cookie: a=b",
        f"{AN_ID}, {AN_ID}",
        "<script>",
        "\u00e9" * 36,
    ):
        response = client.get(f"{url}/orders/", headers={"X-Request-Id": given})
        assert error(response) == (401, "api_key_missing")
        assert response["X-Request-Id"] not in given
        assert "Set-Cookie" not in response.headers
