"""Query parameters: known ones, each once, and what counts as not sent, on all routes of the shop."""

import pytest
from django.http import QueryDict
from rest_framework.exceptions import ValidationError

from reflow.api.schema import get_schema
from stores.api.parameters import describe_unknown, parse_parameters
from stores.models import Store
from tests.shop import Caller, refused
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


@pytest.mark.parametrize("path", PARAMETERS)
def test_an_unknown_parameter_is_named_and_the_known_are_listed(api: Caller, store: Store, path: str) -> None:
    there = make_specimens(store)
    resource = path.strip("/").partition("/")[0]
    address = path.format(id=there.ids[resource][0] if "{id}" in path else None)  # type: ignore[index]
    ((name, sentences),) = refused(api.get(f"{address}?statsu=undefined")).items()
    assert name == "statsu"
    known = ", ".join(PARAMETERS[path]) or "none"
    assert sorted(sentences[0].removesuffix(".").split("takes ")[1].split(", ")) == sorted(known.split(", "))


@pytest.mark.parametrize("method", ["post", "patch", "delete"])
def test_a_change_takes_no_parameters(api: Caller, store: Store, method: str) -> None:
    coupon = make_specimens(store).ids["coupons"][0]  # type: ignore[index]
    path = "/coupons/" if method == "post" else f"/coupons/{coupon}"
    response = getattr(api.client, method)(f"{api.base}{path}?dry_run=1")
    assert list(refused(response)) == ["dry_run"]


def test_parse_parameters_takes_a_blank_one_as_not_sent_and_joins_orders() -> None:
    query = QueryDict("search=&page=undefined&order=date_asc&order=undefined&order=name_desc&perpage=5")
    assert parse_parameters(query, KNOWN) == {"order": "date_asc,name_desc", "perpage": "5"}


@pytest.mark.parametrize(
    ("query", "name", "sentence"),
    [
        ("page=&page=", "page", "Sent more than once: send it once."),
        ("Page=1", "Page", describe_unknown("Page", KNOWN)),
        ("%00=1", "\0", describe_unknown("\0", KNOWN)),
    ],
)
def test_parse_parameters_refuses_what_is_sent_twice_or_unknown(query: str, name: str, sentence: str) -> None:
    with pytest.raises(ValidationError) as error:
        parse_parameters(QueryDict(query), KNOWN)
    assert error.value.detail == {name: [sentence]}


@pytest.mark.parametrize(
    ("sent", "meant"),
    [
        *(("per_page", "perpage"), ("limit", "perpage"), ("pageSize", "perpage"), ("perpgae", "perpage")),
        *(("sort", "order"), ("after", "cursor"), ("q", "search"), ("Created_After", "created_after")),
    ],
)
def test_a_wrong_name_of_a_parameter_is_met_with_the_right_one(sent: str, meant: str) -> None:
    assert f"Did you mean `{meant}`? This address takes order, page" in describe_unknown(sent, KNOWN)


def test_a_name_that_means_nothing_is_met_with_those_there_are() -> None:
    assert "Did you mean" not in describe_unknown("x" * 5000, KNOWN)
