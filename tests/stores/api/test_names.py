"""Names are told apart by more than case, and a handle is no id."""

import unicodedata
from typing import Any

import pytest

from stores.models import Store
from tests.shop import Caller, ids, make_customer, refused

NEW: dict[str, dict[str, Any]] = {"products": {"price": 1}, "categories": {}}


def conflict(response: Any) -> list[str]:
    """Return the fields that a conflict names."""
    assert (response.status_code, response.json()["code"]) == (409, "conflict"), response.content
    return list(response.json()["fields"])


@pytest.mark.parametrize(("resource", "kind"), [("products", "product"), ("categories", "category")])
def test_post_makes_a_free_handle_with_a_letter_from_the_name(api: Caller, resource: str, kind: str) -> None:
    for name, handle in (
        ("Blue mug", "blue-mug"),
        ("Blue mug", "blue-mug-2"),
        ("BLUE MUG", "blue-mug-3"),
        ("42", f"{kind}-42"),
        ("42", f"{kind}-42-2"),
        ("マグ", kind),
        ("!!!", f"{kind}-2"),
        ("x" * 100, "x" * 100),
    ):
        assert api.post(f"/{resource}", NEW[resource] | {"name": name}).json()["handle"] == handle


@pytest.mark.parametrize("resource", NEW)
def test_a_handle_is_no_id_and_unique_whatever_its_case(api: Caller, resource: str) -> None:
    new = NEW[resource]
    taken = api.post(f"/{resource}", new | {"name": "A", "handle": "Blue-Mug"}).json()
    other = api.post(f"/{resource}", new | {"name": "B"}).json()
    for send, path, body in (
        (api.post, f"/{resource}", new | {"name": "C"}),
        (api.patch, f"/{resource}/{other['id']}", {}),
    ):
        assert conflict(send(path, body | {"handle": "bLUE-mUG"})) == ["handle"]
        for handle in (taken["id"], "--_1"):
            assert list(refused(send(path, body | {"handle": handle}))) == ["handle"]
    for key in (taken["id"], "Blue-Mug", "BLUE-MUG"):
        assert api.get(f"/{resource}/{key}").json() == taken
    digits = api.patch(f"/{resource}/BLUE-MUG", {"handle": "1984-edition"}).json()
    assert (digits["id"], digits["handle"]) == (taken["id"], "1984-edition")
    assert api.delete(f"/{resource}/1984-Edition").status_code == 204


def test_codes_and_emails_that_differ_in_case_are_one(api: Caller, store: Store) -> None:
    assert api.post("/coupons", {"code": "Äpfel10", "kind": "free_shipping"}).status_code == 201
    for code in ("ÄPFEL10", unicodedata.normalize("NFD", "Äpfel10")):
        assert conflict(api.post("/coupons", {"code": code, "kind": "free_shipping"})) == ["code"]
        assert len(ids(api.get("/coupons", {"code": code}))) == 1
    make_customer(store, "Ada")
    bob = make_customer(store, "Bob")
    assert conflict(api.patch(f"/customers/{bob.pk}", {"email": "ADA@Example.com"})) == ["email"]
