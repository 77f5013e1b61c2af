"""Categories over HTTP: one nested tree, and what can be done to it."""

from typing import Any

import pytest
from django.test import Client

from stores.models import Category, Product, Store
from tests.concurrency import at_once
from tests.shop import Caller, make_product, refused
from tests.shop import make_category as make


def names(tree: list[Any]) -> list[Any]:
    """The tree as names: a category, then the list of those below it where there are any."""
    found: list[Any] = []
    for category in tree:
        found.append(category["name"])
        if below := names(category["subcategories"]):
            found.append(below)
    return found


def test_the_list_is_the_whole_tree(client: Client, store: Store, other_store: Store) -> None:
    make(other_store, "Theirs")
    make(store, "Garden", position=1)
    kitchen = make(store, description="Pots and pans.")
    mugs = make(store, "Mugs", parent=kitchen, position=1, description="Stoneware.")
    make(store, "Espresso", parent=make(store, "Cups", parent=kitchen))
    tree = client.get(f"/v1/stores/{store.pk}/categories/").json()
    assert names(tree) == ["Kitchen", ["Cups", ["Espresso"], "Mugs"], "Garden"]
    assert client.get(f"/v1/stores/{store.pk}/categories/{kitchen.pk}/").json() == tree[0]
    assert tree[0]["subcategories"][1] == {
        "object": "category",
        "id": str(mugs.pk),
        "handle": "mugs",
        "name": "Mugs",
        "description": "Stoneware.",
        "parent": str(kitchen.pk),
        "position": 1,
        "updated_at": f"{mugs.updated_at:%Y-%m-%dT%H:%M:%SZ}",
        "subcategories": [],
    }


def test_categories_are_hung_into_one_another_and_out_again(api: Caller) -> None:
    kitchen = api.post("/categories", {"name": "Kitchen", "handle": "k", "description": "Pots."}).json()
    mugs = api.post("/categories", {"name": "Mugs", "parent": kitchen["id"]}).json()
    assert names(api.get("/categories").json()) == ["Kitchen", ["Mugs"]]
    api.patch(f"/categories/{mugs['id']}", {"parent": None, "name": "Cups", "position": 1})
    assert names(api.get("/categories").json()) == ["Kitchen", "Cups"]
    body = api.patch(f"/categories/{kitchen['id']}", {"parent": mugs["id"]}).json()
    assert (body["handle"], body["description"]) == ("k", "Pots.")
    assert names(api.get("/categories").json()) == ["Cups", ["Kitchen"]]
    within_itself = {"parent": ["A category cannot lie within itself."]}
    for below in (kitchen, mugs):
        assert refused(api.patch(f"/categories/{mugs['id']}", {"parent": below["id"]})) == within_itself


def test_the_tree_has_a_depth_that_can_be_read(api: Caller, store: Store) -> None:
    chain = [make(store, "L1")]
    for level in range(2, 11):
        chain.append(make(store, f"L{level}", parent=chain[-1]))
    too_deep = {"parent": ["Categories can be nested 10 levels deep."]}
    assert refused(api.post("/categories", {"name": "L11", "parent": str(chain[-1].pk)})) == too_deep
    pair = make(store, "Pair")
    make(store, "Leaf", parent=pair)
    assert refused(api.patch(f"/categories/{pair.pk}", {"parent": str(chain[8].pk)})) == too_deep
    assert api.patch(f"/categories/{pair.pk}", {"parent": str(chain[7].pk)}).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_two_changes_at_once_make_no_circle(api: Caller, store: Store) -> None:
    kitchen, garden = make(store), make(store, "Garden")
    pairs = [(kitchen, garden), (garden, kitchen)]

    def hang(number: int) -> int:
        category, parent = pairs[number]
        return int(api.patch(f"/categories/{category.pk}", {"parent": str(parent.pk)}).status_code)

    for _ in range(5):
        Category.objects.update(parent=None)
        assert sorted(at_once(hang, 2)) == [200, 400]


def test_delete_refuses_a_category_with_subcategories_unless_asked_and_leaves_the_products(
    api: Caller, store: Store
) -> None:
    kitchen = make(store)
    mugs = make(store, "Mugs", parent=kitchen)
    product = make_product(store)
    product.categories.add(mugs, through_defaults={"store": store})
    refusal = api.delete(f"/categories/{kitchen.pk}")
    assert (refusal.status_code, refusal.json()["code"]) == (409, "conflict")
    assert list(refused(api.delete(f"/categories/{kitchen.pk}?subcategories=keep"))) == ["subcategories"]
    assert api.delete(f"/categories/{kitchen.pk}?subcategories=delete").status_code == 204
    assert api.get("/categories/").json() == []
    assert api.get(f"/products/{product.pk}").json()["categories"] == []
    assert Product.objects.count() == 1
