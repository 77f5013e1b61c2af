"""Coupons over HTTP."""

from typing import Any

from django.utils import timezone

from stores.models import Coupon, Store
from tests.shop import Caller, refused
from tests.shop import make_coupon as make

FIXED = {
    "code": "SUMMER",
    "kind": "fixed",
    "value": 500,
    "minimum": 2000,
    "starts_at": "2020-06-01T00:00:00Z",
    "ends_at": "2120-09-01T00:00:00Z",
    "usage_limit": 100,
}


def test_a_coupon_is_written_out_in_full(api: Caller) -> None:
    response = api.post("/coupons/", FIXED)
    assert response.status_code == 201
    body = response.json()
    coupon = Coupon.objects.get()
    times = {name: body[name] for name in ("created_at", "updated_at")}
    assert set(times.values()) == {f"{coupon.created_at:%Y-%m-%dT%H:%M:%SZ}"}
    assert body == times | {
        "object": "coupon",
        "id": str(coupon.pk),
        **FIXED,
        "times_used": 0,
        "active": True,
    }
    assert api.get(f"/coupons/{coupon.pk}/").json() == body
    assert api.get("/coupons/").json()["data"] == [body]


def test_a_code_and_a_kind_make_a_coupon(api: Caller) -> None:
    before = timezone.now().replace(microsecond=0)
    body = api.post("/coupons", {"code": "SHIP", "kind": "free_shipping"}).json()
    starts_at = body.pop("starts_at")
    assert f"{before:%Y-%m-%dT%H:%M:%SZ}" <= starts_at <= f"{timezone.now():%Y-%m-%dT%H:%M:%SZ}"
    del body["id"], body["created_at"], body["updated_at"]
    assert body == {
        "object": "coupon",
        "code": "SHIP",
        "kind": "free_shipping",
        "value": 0,
        "minimum": 0,
        "ends_at": None,
        "usage_limit": None,
        "times_used": 0,
        "active": True,
    }


def test_a_coupon_can_be_changed_in_part_and_deleted(api: Caller, store: Store) -> None:
    coupon = make(store, times_used=4)
    body = api.patch(f"/coupons/{coupon.pk}", {"value": 25, "ends_at": "2027-01-01T01:00:00+01:00"}).json()
    assert (body["code"], body["value"], body["times_used"]) == ("WELCOME10", 25, 4)
    assert body["ends_at"] == "2027-01-01T00:00:00Z"
    assert api.patch(f"/coupons/{coupon.pk}", {"ends_at": None}).json()["ends_at"] is None
    assert api.delete(f"/coupons/{coupon.pk}").status_code == 204
    assert api.get(f"/coupons/{coupon.pk}").status_code == 404


def test_years_have_four_digits(api: Caller) -> None:
    body = api.post("/coupons", FIXED | {"starts_at": "0001-01-01T00:00:00Z"}).json()
    assert body["starts_at"] == "0001-01-01T00:00:00Z"


WRONG: list[Any] = [
    ({"code": ""}, "code"),
    ({"code": "x" * 41}, "code"),
    ({"kind": "gift"}, "kind"),
    ({"kind": "percent", "value": 101}, "value"),
    ({"value": -1}, "value"),
    ({"value": None}, "value"),
    ({"minimum": 10**12 + 1}, "minimum"),
    ({"starts_at": "soon"}, "starts_at"),
    ({"starts_at": None}, "starts_at"),
    ({"ends_at": FIXED["starts_at"]}, "ends_at"),
    ({"ends_at": "9999-12-31T23:59:59-14:00"}, "ends_at"),
    ({"usage_limit": -1}, "usage_limit"),
    ({"usage_limit": 2**63}, "usage_limit"),
    ({"times_used": 1}, "times_used"),
    ({"active": False}, "active"),
]


def test_what_is_wrong_is_named(api: Caller) -> None:
    coupon = api.post("/coupons", FIXED).json()
    for change, field in WRONG:
        assert list(refused(api.patch(f"/coupons/{coupon['id']}", {"minimum": 1} | change))) == [field]
        assert list(refused(api.post("/coupons", FIXED | {"code": "OTHER"} | change))) == [field]
    assert api.get(f"/coupons/{coupon['id']}").json() == coupon
    assert Coupon.objects.count() == 1
