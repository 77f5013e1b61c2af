"""The admin as a whole: no query string fails, and a change takes a recent sign-in."""

from collections import defaultdict
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
import time_machine
from django.contrib import admin
from django.contrib.auth.models import User
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from apikeys.models import Suspension, Usage
from stores.models import Store
from tests.conftest import IssueKey, admin_page, sign_in
from tests.specimens import make_specimens

MODELS = sorted(admin.site._registry, key=lambda model: model._meta.label)

VALUES = ("x", "\0", "9" * 30, "0", "9999-12-31T23:59:59-12:00")
QUERIES = (
    *("q=%00", "q=" + "a+" * 2000, "q=" + "%25" * 60_000, 'q="', "e=1", "all=1", "_facets=True"),
    *("p=x", "p=-1", f"p={'9' * 30}", "o=x", "o=99.1.-1", f"o={'9' * 30}", "_popup=1"),
    *("_to_field=password", "_to_field=id", "_changelist_filters=q%3Dx", "status=x", "access=x"),
    *("nonsense=1", "__=1", "id=1&id=2", "%00=1", "pk__in=1,x", "id__date__year=1"),
)


def lookups() -> dict[Any, list[str]]:
    """A lookup of a column of each type, some of which some database cannot do, by the column's model."""
    columns = {type(field): (model, field.name) for model in MODELS for field in model._meta.get_fields()}
    found: dict[Any, list[str]] = defaultdict(list)
    for model, name in columns.values():
        found[model] += [f"{name}=(", f"{name}__regex=(", f"{name}__contains=("]
    return found


LOOKUPS = lookups()


def filter_queries_of(model: Any) -> list[str]:
    """Queries as filters send them, of every column, with every kind of value."""
    columns = [field.name for field in model._meta.concrete_fields]
    kinds = ("", "__exact", "__isnull", "__isempty", "__year", "__month", "__day")
    return [urlencode({f"{name}{kind}": value}) for name in columns for kind in kinds for value in VALUES]


def test_no_query_of_a_list_is_a_server_error(operator: Client, store: Store, issue: IssueKey) -> None:
    make_specimens(store)
    issue()
    operator.raise_request_exception = False
    for model in MODELS:
        more = (*filter_queries_of(model), *QUERIES) if model in {Usage, User} else ()
        for query in (*LOOKUPS[model], *more):
            with transaction.atomic():
                response = operator.get(f"{admin_page(model, 'changelist')}?{query}")
            assert response.status_code in {200, 302, 400, 403}, (model, query)


@pytest.mark.parametrize("number", ["%00", "9" * 30])
def test_no_id_of_a_page_is_a_server_error(operator: Client, number: str) -> None:
    operator.raise_request_exception = False
    for model in MODELS:
        with transaction.atomic():
            response = operator.get(f"{admin_page(model, 'changelist')}{number}/change/")
        assert response.status_code in {302, 400, 404}, model


def test_no_list_offers_all_stores_to_choose_from() -> None:
    for model in MODELS:
        filters = set(admin.site.get_model_admin(model).list_filter)
        assert not {"store", "store__name"} & filters, model


SECRETS = (
    *("password__startswith", "user__password__contains", "created_by__password__gt", "data__contains"),
    *("digest__startswith", "digest__regex"),
)


@pytest.mark.parametrize("column", SECRETS)
def test_a_list_looks_up_no_secret(operator: Client, column: str) -> None:
    """A character at a time, from whether a row is still listed."""
    for model in MODELS:
        assert operator.get(admin_page(model, "changelist"), {column: "a"}).status_code == 400


def test_every_filter_of_a_list_works(operator: Client, store: Store, issue: IssueKey) -> None:
    make_specimens(store)
    issue()
    for model in MODELS:
        address = admin_page(model, "changelist")
        changelist = operator.get(address).context["cl"]
        for spec in changelist.filter_specs:
            for choice in spec.choices(changelist):
                assert operator.get(f"{address}{choice['query_string']}").status_code == 200, (model, choice)


def test_no_query_of_the_search_for_a_field_is_a_server_error(operator: Client, store: Store) -> None:
    right = {"app_label": "stores", "model_name": "product", "field_name": "store"}
    operator.raise_request_exception = False
    for wrong in (
        *({"term": term} for term in ("\0", "a " * 2000, "%" * 60_000)),
        *({"page": page} for page in ("x", "-1", "9" * 30)),
        *({name: value} for name in right for value in ("", "x", "\0")),
    ):
        response = operator.get(reverse("admin:autocomplete"), right | wrong)
        assert response.status_code in {200, 400, 403, 404}, wrong
    assert operator.get(reverse("admin:autocomplete"), right).json()["results"]


# A recent sign-in.


def later() -> Any:
    return time_machine.travel(timezone.now() + timedelta(hours=2), tick=False)


def test_every_change_takes_a_recent_sign_in(operator: Client, owner: User, store: Store) -> None:
    changes = [
        (reverse("admin:auth_user_password_change", args=[owner.pk]), {"password1": "x", "password2": "x"}),
        (admin_page(User, "change", owner.pk), {"username": "taken-over"}),
        (admin_page(User, "delete", owner.pk), {"post": "yes"}),
        (admin_page(User, "changelist"), {"action": "delete_selected", "_selected_action": owner.pk}),
        (admin_page(Suspension, "add"), {"store": store.pk, "reason": "Fraud"}),
        *((admin_page(model, "add"), {}) for model in MODELS),
    ]
    with later():
        for url, data in changes:
            response = operator.post(url, data)
            assert response.status_code == 302, url
            assert response["Location"].startswith("/accounts/reauthenticate/?next=%2Fadmin%2F"), url
    assert not Suspension.objects.exists()
    assert User.objects.get(pk=owner.pk).username == owner.username


def test_after_the_proof_the_change_is_made(operator: Client, store: Store) -> None:
    url, form = admin_page(Suspension, "add"), {"store": store.pk, "reason": "Fraud"}
    with later():
        page = operator.get(operator.post(url, form)["Location"])
        assert "Nothing has been changed" in page.content.decode()
        operator.logout()
        sign_in(operator, "operator@example.com")
        operator.post(url, form)
    assert Suspension.objects.get().reason == "Fraud"


def test_reading_and_signing_out_take_none(operator: Client) -> None:
    with later():
        assert operator.get(admin_page(User, "changelist")).status_code == 200
        assert operator.post(reverse("admin:logout")).status_code == 200
    assert operator.get("/admin/", follow=True).redirect_chain[-1][0].startswith("/accounts/login/")
