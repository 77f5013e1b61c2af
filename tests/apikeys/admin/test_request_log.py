"""The request log in the admin: any store's, to be read and found by what has an index."""

from typing import Any
from uuid import UUID

import pytest
from django.test import Client

from apikeys.models import ApiKey, LoggedRequest
from stores.models import Store
from tests.conftest import IssueKey, admin_page
from tests.key_requests import make_request, write_usage

FIRST, SECOND = UUID(int=1), UUID(int=2)


@pytest.fixture
def keys(issue: IssueKey, other_store: Store) -> list[ApiKey]:
    """A key of each of two stores, each with one refused request."""
    issued = [issue()[0], issue(store=other_store)[0]]
    refused: dict[str, Any] = {"status_code": 401, "reason": "api_key_expired"}
    write_usage(
        make_request(issued[0], request_id=FIRST, **refused),
        make_request(issued[1], request_id=SECOND, **refused),
    )
    return issued


def shown(operator: Client, q: str) -> set[UUID]:
    response = operator.get(admin_page(LoggedRequest, "changelist"), {"q": q})
    assert response.status_code == 200
    return {request_id for request_id in (FIRST, SECOND) if str(request_id) in response.text}


def test_request_log_is_searched_by_key_store_and_request_id(operator: Client, keys: list[ApiKey]) -> None:
    assert shown(operator, "") == {FIRST, SECOND}
    for typed in (keys[0].prefix, "267418190", str(FIRST), f" {FIRST.hex} "):
        assert shown(operator, typed) == {FIRST}, typed
    for typed in ("0000000", "999999999", "9" * 40, "'", "\u202e", str(UUID(int=3))):
        assert shown(operator, typed) == set(), typed
