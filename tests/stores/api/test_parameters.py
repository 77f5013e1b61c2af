"""Query parameters: known ones, each once, and what counts as not sent, on all routes of the shop."""

from typing import Any

import pytest

from reflow.api.schema import get_schema
from stores.models import Store
from tests.shop import Caller, ids, refused
from tests.specimens import make_specimens

BASE = "/v1/stores/{store_id}"
PARAMETERS: dict[str, list[str]] = {
    path.removeprefix(BASE): [each["name"] for each in methods["get"]["parameters"] if each["in"] == "query"]
    for path, methods in get_schema()["paths"].items()
    if path.startswith(BASE) and not path.startswith(f"{BASE}/api-keys")
}
LISTS = {path: names for path, names in PARAMETERS.items() if names and path != "/changes"}
EACH = [(path, name) for path, names in LISTS.items() for name in names]


def ask(api: Caller, path: str, query: str) -> Any:
    return api.client.get(f"{api.base}{path}?{query}")


def test_lists_take_parameters_and_nothing_else_does() -> None:
    assert sorted(LISTS) == ["/coupons", "/customers", "/orders", "/products"]


@pytest.mark.parametrize("path", PARAMETERS)
@pytest.mark.parametrize("query", ["statsu=paid", "statsu=", "statsu=undefined", "%00=1", "Page=1"])
def test_an_unknown_parameter_is_named_and_the_known_are_listed(
    api: Caller, store: Store, path: str, query: str
) -> None:
    there = make_specimens(store)
    resource = path.strip("/").partition("/")[0]
    (sentences,) = refused(
        ask(api, path.format(id=there.ids[resource][0] if "{id}" in path else None), query)  # type: ignore[index]
    ).values()
    known = ", ".join(PARAMETERS[path]) or "none"
    assert sorted(sentences[0].removesuffix(".").split("takes ")[1].split(", ")) == sorted(known.split(", "))


@pytest.mark.parametrize("method", ["post", "patch", "delete"])
def test_a_change_takes_no_parameters(api: Caller, store: Store, method: str) -> None:
    coupon = make_specimens(store).ids["coupons"][0]  # type: ignore[index]
    path = "/coupons/" if method == "post" else f"/coupons/{coupon}"
    response = getattr(api.client, method)(f"{api.base}{path}?dry_run=1")
    assert list(refused(response)) == ["dry_run"]


@pytest.mark.parametrize(("path", "name"), EACH)
def test_a_blank_parameter_is_as_if_not_sent(api: Caller, store: Store, path: str, name: str) -> None:
    make_specimens(store)
    everything = ids(ask(api, path, ""))
    assert len(everything) == 2
    for value in ("", "undefined"):
        assert ids(ask(api, path, f"{name}={value}")) == everything


@pytest.mark.parametrize(("path", "name"), EACH)
def test_a_parameter_is_sent_once(api: Caller, path: str, name: str) -> None:
    response = ask(api, path, f"{name}=&{name}=")
    if name == "order":
        assert response.status_code == 200
    else:
        assert refused(response) == {name: ["Sent more than once: send it once."]}


@pytest.mark.parametrize("path", LISTS)
def test_several_orders_are_joined(api: Caller, store: Store, path: str) -> None:
    make_specimens(store)
    joined = ask(api, path, "order=date_asc&order=date_desc&order=undefined")
    assert ids(joined) == ids(ask(api, path, "order=date_asc,date_desc"))
    assert list(refused(ask(api, path, "order=date_asc&order=size_asc"))) == ["order"]


@pytest.mark.parametrize(
    ("sent", "meant"),
    [
        *(("per_page", "perpage"), ("limit", "perpage"), ("pageSize", "perpage"), ("perpgae", "perpage")),
        *(("sort", "order"), ("after", "cursor"), ("q", "search"), ("Created_After", "created_after")),
    ],
)
def test_a_wrong_name_of_a_parameter_is_met_with_the_right_one(api: Caller, sent: str, meant: str) -> None:
    response = api.client.get(f"{api.base}/orders/", {sent: "1"})
    assert response.status_code == 400
    assert f"Did you mean `{meant}`? This address takes" in response.json()["fields"][sent][0]


def test_a_name_that_means_nothing_is_met_with_those_there_are(api: Caller) -> None:
    response = api.client.get(f"{api.base}/coupons/", {"x" * 5000: "1"})
    assert response.status_code == 400
    assert "Did you mean" not in response.json()["error"]
