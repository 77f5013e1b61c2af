"""The API's own description: it is valid, leaves nothing out, and real answers are as it says."""

import json
from collections.abc import Iterator
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from jsonschema_rs import Draft202012Validator
from openapi_spec_validator import validate

from reflow.api.schema import get_schema
from stores.models import Store
from stores.resources import SCOPES, Resource
from tests.conftest import IssueKey, bearer
from tests.shop import Caller
from tests.specimens import Specimens, make_specimens


@pytest.fixture
def specimens(store: Store) -> Specimens:
    return make_specimens(store)


@pytest.fixture
def caller(store: Store, issue: IssueKey) -> Caller:
    return Caller(store, issue(access=list(SCOPES))[1])


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in get_schema()["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


# The description itself.


def test_it_is_openapi_3_1_and_made_without_a_warning(tmp_path: Path) -> None:
    call_command("spectacular", validate=True, fail_on_warn=True, file=str(tmp_path / "openapi.yaml"))
    assert get_schema()["openapi"] == "3.1.0"


def test_openapi_json_tells_a_key_what_it_may_do(client: Client, issue: IssueKey) -> None:
    _, key = issue(access=["orders:read"])
    schema = client.get("/v1/openapi.json", headers=bearer(key)).json()
    validate(schema)
    assert {each["operationId"] for methods in schema["paths"].values() for each in methods.values()} == {
        *("list_orders", "get_order", "get_store", "list_changes"),
        *("get_api_key", "get_api_key_request", "revoke_api_keys", "exchange_token"),
    }
    assert "Product" not in schema["components"]["schemas"]
    assert len(client.get("/v1/openapi.json").json()["paths"]) > len(schema["paths"])
    _, renewing = issue(name="Renewing", renews_days=30)
    assert "/v1/api-key/roll" in client.get("/v1/openapi.json", headers=bearer(renewing)).json()["paths"]


def examples() -> Iterator[tuple[str, str, dict[str, Any], Any]]:
    """The method and path of every operation with each of its bodies' schemas and examples."""
    for method, path, operation in operations():
        successes = [body for status, body in operation["responses"].items() if status[0] == "2"]
        for body in [operation.get("requestBody", {}), *successes]:
            for media in body.get("content", {}).values():
                yield method, path, media["schema"], media["example"]


def test_every_body_has_an_example_that_is_as_described() -> None:
    found = 0
    for method, path, schema, example in examples():
        whole = {**schema, "components": closed()["components"]}
        validator = Draft202012Validator(whole, validate_formats=True)
        assert [error.message for error in validator.iter_errors(example)] == [], (method, path)
        found += 1
    assert found > 30


def test_the_server_takes_the_examples(caller: Caller, specimens: Specimens) -> None:
    for method, path, operation in operations():
        if "requestBody" in operation and "/api-keys" not in path and path != "/v1/token":
            resource = next(one for one in Resource if f"/{one}" in path)
            media = operation["requestBody"]["content"]["application/json"]
            address = specimens.fill(path, resource)
            response = caller.client.generic(
                method, address, json.dumps(media["example"]), "application/json"
            )
            assert response.status_code in {200, 201}, (method, path, response.content)


# Errors.


def test_every_operation_tells_its_errors() -> None:
    conflicts = {"409", "412"}
    of_method = {"GET": {"412"}, "POST": {*conflicts, "422"}, "PATCH": conflicts, "DELETE": conflicts}
    for method, path, operation in operations():
        expected = {"400", "401", "403", "406", "429", "500", "503", *of_method[method]}
        expected |= {"404"} if "{" in path else set()
        expected |= {"413", "415"} if "requestBody" in operation else set()
        expected |= {"410"} if path.endswith("/changes") else set()
        assert {status for status in operation["responses"] if status >= "400"} == expected, (method, path)


def test_every_error_that_operations_tell_has_an_example_as_described() -> None:
    for response in get_schema()["components"]["responses"].values():
        for example in response["content"]["application/json"]["examples"].values():
            assert mistakes("ApiError", example["value"]) == []


# Answers.


@cache
def closed() -> dict[str, Any]:
    """The description with every object closed: what it does not name must not be there."""
    description = deepcopy(get_schema())
    for schema in description["components"]["schemas"].values():
        close(schema)
    return description


def close(schema: Any) -> None:
    if isinstance(schema, dict):
        if "properties" in schema:
            schema.setdefault("additionalProperties", False)
        for part in schema.values():
            close(part)
    elif isinstance(schema, list):
        for part in schema:
            close(part)


def mistakes(name: str, answer: Any) -> list[str]:
    """Return the places where an answer differs from the schema of this name."""
    whole = {"$ref": f"#/components/schemas/{name}", "components": closed()["components"]}
    validator = Draft202012Validator(whole, validate_formats=True)
    return [f"{error.instance_path}: {error.message}" for error in validator.iter_errors(answer)]


def test_nothing_in_an_answer_is_optional() -> None:
    depends = {"ApiError": "on its code", "PageMeta": "on the way of paging"}
    for name, schema in get_schema()["components"]["schemas"].items():
        if not name.endswith("Request") and name not in depends and "properties" in schema:
            assert set(schema["required"]) == set(schema["properties"]), name


@pytest.mark.parametrize(
    ("resource", "name"),
    [
        (Resource.PRODUCTS, "Product"),
        (Resource.ORDERS, "Order"),
        (Resource.CUSTOMERS, "Customer"),
        (Resource.COUPONS, "Coupon"),
    ],
)
def test_objects_and_lists_are_as_described(
    caller: Caller, specimens: Specimens, resource: Resource, name: str
) -> None:
    for pk in specimens.ids[resource]:
        assert mistakes(name, caller.get(f"/{resource}/{pk}/").json()) == []
    for query in ("", "?perpage=1", "?perpage=1&page=2", "?search=nothing", "?cursor=", "?cursor=&perpage=1"):
        page = caller.get(f"/{resource}/{query}").json()
        assert mistakes(f"Paginated{name}List", page) == []


def test_every_get_is_conditional_with_a_key_and_without(
    caller: Caller, client: Client, specimens: Specimens
) -> None:
    for method, path, operation in operations():
        assert ("304" in operation["responses"]) == (method == "GET"), path
        # Keys count this very request.
        if method == "GET" and "{store_id}" in path and "/api-key" not in path:
            resource = next((one for one in Resource if f"/{one}" in path), None)
            address = specimens.fill(path, resource)
            for browser in (caller.client, *([] if operation["security"] else [client])):
                first = browser.get(address)
                again = browser.get(address, headers={"If-None-Match": first["ETag"]})
                assert (again.status_code, again.content) == (304, b""), address
                assert (again.get("Cache-Control") == "no-store") == (browser is caller.client), address
                # Whatever layer made an answer, it has the headers that every answer has.
                made_anew = {"Content-Length", "Content-Type", "Allow", "Link", "Last-Modified"}
                assert set(first.headers) - made_anew <= set(again.headers), address
