"""An API key that is pasted where others read it: no route and no form of the admin keeps one."""

import json
from itertools import product
from typing import Any
from urllib.parse import urlencode

import pytest
from django.contrib import admin
from django.http import QueryDict
from django.test import Client

from apikeys.models import Suspension
from stores.models import Category, Coupon, Customer, Order, Product, Store
from stores.resources import SCOPES
from tests.conftest import IssueKey, admin_page, bearer
from tests.routes import ROUTES

KEY = "19656ea.4329f04826e125f1ee999b53f78"
WRITES = [route for route in ROUTES if route.method in {"POST", "PATCH"} and route.resource]


BODIES: list[Any] = [
    {"name": KEY},
    {"note": f"see {KEY.replace('.', '%2e')}"},
    {"variants": {"items": [{"name": "Small"}, {"name": KEY.upper()}]}},
    {KEY: "x"},
    [KEY],
]


def test_no_route_takes_a_body_with_a_key_in_it(issue: IssueKey) -> None:
    key, plaintext = issue(access=list(SCOPES))
    program = Client(headers=bearer(plaintext))
    for route, body in product(WRITES, BODIES):
        path = route.path.format(store_id=267418190, id=1, prefix=key.prefix)
        response = program.generic(route.method, path, json.dumps(body), "application/json")
        assert (response.status_code, response.json()["code"]) == (400, "invalid"), (route, body)
        assert "contains an API key" in response.json()["error"]
        assert KEY[8:] not in response.content.decode().lower()


@pytest.mark.parametrize("model", [Category, Coupon, Customer, Order, Product, Store, Suspension])
def test_no_form_of_the_admin_takes_a_key(operator: Client, store: Store, model: Any) -> None:
    form = admin.site.get_model_admin(model).get_form(_request(operator))
    texts = [
        name for name, field in form.base_fields.items() if type(field).__name__ in {"CharField", "SlugField"}
    ]
    bound = form(QueryDict(urlencode(dict.fromkeys(texts, f"see {KEY}"))))
    bound.is_valid()
    # A text that is no slug or too long is refused for that.
    assert texts
    assert set(texts) <= set(bound.errors)
    assert any("contains an API key" in str(errors) for errors in bound.errors.values())


def _request(operator: Client) -> Any:
    """A request of an operator, as the admin gets it."""
    return operator.get(admin_page(Store, "changelist")).wsgi_request
