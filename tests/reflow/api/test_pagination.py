"""Both ways through a list. Coupons stand for every list: they need nothing but themselves."""

import json
from base64 import urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from requests.utils import parse_header_links

from stores.models import Coupon, Store
from tests.conftest import IssueKey, bearer

COUPONS = "/v1/stores/267418190/coupons/"
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture
def api(issue: IssueKey) -> Client:
    _, plaintext = issue(access=["coupons:read"])
    return Client(headers=bearer(plaintext))


def make_coupons(store: Store, count: int, *, prefix: str = "C", at: datetime = NOON) -> None:
    """Several at each moment, so that the moment alone does not say which is next."""
    Coupon.objects.bulk_create(
        Coupon(
            store=store,
            code=f"{prefix}{number:03}",
            kind="fixed",
            value=number % 3,
            starts_at=NOON,
            created_at=at + timedelta(minutes=number // 4),
        )
        for number in range(count)
    )


def codes(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.content
    return [row["code"] for row in answer.json()["data"]]


def walk(api: Client, address: str | None, way: str = "next") -> list[list[str]]:
    pages = []
    while address:
        answer = api.get(address)
        pages.append(codes(answer))
        # Whoever went back can go on again.
        assert way == "next" or answer.json()["links"]["next"]
        address = answer.json()["links"][way]
    return pages


def test_pages_have_numbers_and_totals(api: Client, store: Store) -> None:
    make_coupons(store, 45)
    answer = api.get(f"{COUPONS}?page=2&search=C").json()
    assert len(answer["data"]) == 20
    here = f"http://testserver{COUPONS}"
    assert answer["links"] == {
        "first": f"{here}?page=1&search=C",
        "last": f"{here}?page=3&search=C",
        "prev": f"{here}?page=1&search=C",
        "next": f"{here}?page=3&search=C",
    }
    assert answer["meta"] == {
        "path": here,
        "links": [
            {"url": f"{here}?page=1&search=C", "label": "Previous", "active": False},
            {"url": f"{here}?page=1&search=C", "label": "1", "active": False},
            {"url": f"{here}?page=2&search=C", "label": "2", "active": True},
            {"url": f"{here}?page=3&search=C", "label": "3", "active": False},
            {"url": f"{here}?page=3&search=C", "label": "Next", "active": False},
        ],
        "current_page": 2,
        "from": 21,
        "to": 40,
        "per_page": 20,
        "last_page": 3,
        "total": 45,
    }


def test_an_empty_list_has_one_empty_page(api: Client) -> None:
    answer = api.get(COUPONS).json()
    assert answer["data"] == []
    meta = answer["meta"]
    assert (meta["from"], meta["to"], meta["last_page"], meta["total"]) == (None, None, 1, 0)
    assert answer["links"]["prev"] is answer["links"]["next"] is None


@pytest.mark.parametrize("number", [4, 9, 10**9])
def test_a_page_past_the_end_is_empty_and_leads_to_the_last(api: Client, store: Store, number: int) -> None:
    make_coupons(store, 15)
    answer = api.get(COUPONS, {"page": number, "perpage": 5}).json()
    meta = answer["meta"]
    assert (answer["data"], meta["from"], meta["to"]) == ([], None, None)
    assert (meta["current_page"], meta["last_page"], meta["total"]) == (number, 3, 15)
    assert (answer["links"]["next"], meta["links"][0]["url"]) == (None, answer["links"]["last"])


@pytest.mark.parametrize(("name", "too_much"), [("page", "1000000001"), ("perpage", "101")])
def test_a_number_out_of_range_is_named(api: Client, name: str, too_much: str) -> None:
    for value in ("0", "-1", too_much, "1.5", "x", "١", "1" * 5000, "1e1", "+1", " 1", "0x1", "\0"):
        answer = api.get(COUPONS, {name: value})
        assert (answer.status_code, list(answer.json()["fields"])) == (400, [name]), value


@pytest.mark.parametrize(
    ("order", "size"),
    [
        ("", 7),
        ("date_asc", 7),
        ("date_asc,code_asc", 7),
        ("date_asc,date_desc", 7),
        ("code_asc,code_asc,", 7),
        ("", 3),
        ("", 100),
    ],
)
def test_cursors_walk_the_whole_list_both_ways(api: Client, store: Store, order: str, size: int) -> None:
    make_coupons(store, 23)
    query = f"order={order}&perpage={size}"
    numbered = [code for page in walk(api, f"{COUPONS}?{query}") for code in page]
    pages = walk(api, f"{COUPONS}?{query}&cursor=")
    assert [code for page in pages for code in page] == numbered
    assert len(numbered) == 23
    last = api.get(f"{COUPONS}?{query}&cursor=")
    while last.json()["links"]["next"]:
        last = api.get(last.json()["links"]["next"])
    previous = last.json()["links"]["prev"]
    assert not previous or codes(api.get(api.get(previous).json()["links"]["next"])) == codes(last)
    back = walk(api, previous, "prev")
    assert [code for page in reversed(back) for code in page] == numbered[: 23 - len(codes(last))]


def test_rows_added_meanwhile_neither_repeat_nor_hide_others(api: Client, store: Store) -> None:
    make_coupons(store, 12)
    first = api.get(f"{COUPONS}?cursor=&perpage=5")
    make_coupons(store, 3, prefix="NEW", at=NOON + timedelta(days=1))
    rest = walk(api, first.json()["links"]["next"])
    seen = codes(first) + [code for page in rest for code in page]
    assert sorted(seen) == [f"C{number:03}" for number in range(12)]


def test_a_deleted_row_does_not_break_the_cursor_beside_it(api: Client, store: Store) -> None:
    make_coupons(store, 10)
    first = api.get(f"{COUPONS}?cursor=&perpage=5")
    Coupon.objects.filter(code=codes(first)[-1]).delete()
    assert codes(api.get(first.json()["links"]["next"])) == ["C004", "C003", "C002", "C001", "C000"]


def test_a_cursor_page_counts_nothing(api: Client, store: Store) -> None:
    make_coupons(store, 3)
    answer = api.get(f"{COUPONS}?cursor=&perpage=2").json()
    assert answer["meta"] == {"per_page": 2}
    assert (answer["links"]["prev"], answer["links"]["last"]) == (None, None)
    assert answer["links"]["first"] == f"http://testserver{COUPONS}?cursor=&perpage=2"


def test_the_link_header_says_what_links_say(api: Client, store: Store) -> None:
    make_coupons(store, 45)
    for query in ("page=2&search=C", "page=1", "page=9", "cursor=", "perpage=45"):
        answer = api.get(f"{COUPONS}?{query}")
        in_header = {link["rel"]: link["url"] for link in parse_header_links(answer["Link"])}
        assert in_header == {name: url for name, url in answer.json()["links"].items() if url}


def test_a_cursor_is_of_one_list_and_order_and_takes_no_page(store: Store, issue: IssueKey) -> None:
    make_coupons(store, 3)
    api = Client(headers=bearer(issue(access=["coupons:read", "orders:read"])[1]))
    following = api.get(f"{COUPONS}?cursor=&perpage=1").json()["links"]["next"]
    for address, field in (
        (following.replace("/coupons/", "/orders/"), "cursor"),
        (f"{following}&order=code_asc", "cursor"),
        (f"{following}&page=2", "page"),
    ):
        answer = api.get(address)
        assert (answer.status_code, list(answer.json()["fields"])) == (400, [field]), address


def token(*values: object, made_for: str = "coupon -created_at -id") -> str:
    return urlsafe_b64encode(json.dumps([made_for, False, *values]).encode()).decode()


def test_a_nul_in_a_cursors_text_is_refused(api: Client) -> None:
    for text, status in (("c001", 200), ("c001\0", 400)):
        cursor = token(text, "1", made_for="coupon code_key -id")
        assert api.get(COUPONS, {"order": "code_asc", "cursor": cursor}).status_code == status


def test_a_cursor_nobody_gave_out_is_refused(api: Client) -> None:
    assert api.get(COUPONS, {"cursor": token("2026-11-23T12:00:00Z", "1")}).status_code == 200
    for cursor in (
        "x",
        "é",
        "AAAA",
        token(),
        token("2026-11-23T12:00:00Z"),
        token("2026-11-23T12:00:00Z", "1", "2"),
        token("yesterday", "1"),
        token(5, 1),
        token(None, None),
        token([], {}),
        token("0001-01-01T00:00:00+14:00", "1"),
        token("2026-11-23T12:00:00Z", "9" * 30),
        token("2026-11-23T12:00:00Z", "1\0"),
        token("\ud800", "1"),
        urlsafe_b64encode(b"[" * 100_000).decode(),
        urlsafe_b64encode(b'["coupon -created_at -id",false,' + b"[" * 5000).decode(),
        urlsafe_b64encode(b"{}").decode(),
    ):
        answer = api.get(COUPONS, {"cursor": cursor})
        assert (answer.status_code, list(answer.json()["fields"])) == (400, ["cursor"]), cursor[:50]
