"""Query parameters: known ones, each once, and what counts as not sent, on all routes of the shop."""

import pytest
from django.http import QueryDict
from rest_framework.exceptions import ValidationError

from reflow.api.schema import get_schema
from stores.api.parameters import describe_unknown, parse_parameters
from stores.models import Store
from stores.resources import Resource
from tests.shop import Caller, make_coupon, refused
from tests.specimens import make_specimens

BASE = "/v1/stores/{store_id}"
PARAMETERS: dict[str, list[str]] = {
    path.removeprefix(BASE): [each["name"] for each in methods["get"]["parameters"] if each["in"] == "query"]
    for path, methods in get_schema()["paths"].items()
    if path.startswith(BASE) and not path.startswith(f"{BASE}/api-keys")
}
KNOWN = ("order", "page", "perpage", "cursor", "search", "created_after")


def test_lists_take_parameters_and_nothing_else_does() -> None:
    takes = [path for path, names in PARAMETERS.items() if names]
    assert sorted(takes) == ["/changes", "/coupons", "/customers", "/orders", "/products"]


def test_an_unknown_parameter_is_named_and_the_known_are_listed(api: Caller, store: Store) -> None:
    there = make_specimens(store)
    for path, names in PARAMETERS.items():
        resource = path.strip("/").partition("/")[0]
        address = path.format(id=there.ids[Resource(resource)][0]) if "{id}" in path else path
        ((name, sentences),) = refused(api.get(f"{address}?statsu=1")).items()
        assert name == "statsu"
        listed = sentences[0].removesuffix(".").split("takes ")[1].split(", ")
        assert sorted(listed) == sorted(names or ["none"])


def test_a_change_takes_no_parameters(api: Caller, store: Store) -> None:
    coupon = f"{api.base}/coupons/{make_coupon(store).pk}?dry_run=1"
    for response in (
        api.post("/coupons/?dry_run=1", {}),
        api.client.patch(coupon),
        api.client.delete(coupon),
    ):
        assert list(refused(response)) == ["dry_run"]


def test_parse_parameters_takes_a_blank_one_as_not_sent_and_joins_orders() -> None:
    query = QueryDict("search=&page=undefined&order=date_asc&order=undefined&order=name_desc&perpage=5")
    assert parse_parameters(query, KNOWN) == {"order": "date_asc,name_desc", "perpage": "5"}
    with pytest.raises(ValidationError) as error:
        parse_parameters(QueryDict("page=&page=&Page=1&%00=1&perPage=undefined&filter="), KNOWN)
    assert error.value.detail == {
        "page": ["Sent more than once: send it once."],
        "Page": [describe_unknown("Page", KNOWN)],
        "\0": [describe_unknown("\0", KNOWN)],
    }


def test_a_wrong_name_of_a_parameter_is_met_with_the_right_one() -> None:
    for sent, meant in (
        *(("per_page", "perpage"), ("limit", "perpage"), ("pageSize", "perpage")),
        *(("sort", "order"), ("Created_After", "created_after")),
    ):
        assert f"Did you mean `{meant}`? This address takes order, page" in describe_unknown(sent, KNOWN)
    assert "Did you mean" not in describe_unknown("x" * 5000, KNOWN)
