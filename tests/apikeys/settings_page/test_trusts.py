"""Trusted workloads on the page: the form, the list, one trust, and where their keys are not."""

from datetime import timedelta
from functools import partial
from typing import Any
from urllib.parse import urlencode

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from apikeys import lifecycle, trusts
from apikeys.actors import Actor
from apikeys.lifecycle import StaleKey
from apikeys.models import ApiKey, AuditEntry, Trust
from apikeys.models.trust import GITHUB, GITLAB
from apikeys.oidc import Identity
from stores.models import Store
from tests.conftest import bearer
from tests.issuer import make_trust

KEYS = "/stores/267418190/settings/api-keys/"
TRUSTS = f"{KEYS}trusts/"
FORM: dict[str, Any] = {
    "name": "Deploy",
    "issuer": GITHUB,
    "project": "northwood/shop",
    "lifetime": "900",
    "access": ["orders:write"],
}


@pytest.fixture
def trust(store: Store, owner: User) -> Trust:
    return make_trust(store, Actor(owner))


def test_create_trust_keeps_what_it_is_given_as_keys_do(store: Store, owner: User) -> None:
    fields: trusts.TrustChanges = {
        "issuer": GITHUB,
        "claims": {"repository": "northwood/shop"},
        "lifetime": 900,
    }
    make = partial(trusts.create_trust, store=store, by=Actor(owner), **fields)
    trust = make(name=" Nightly\texport ", access=["orders:write"])
    assert (trust.name, set(trust.access)) == ("Nightly export", {"orders:read", "orders:write"})
    with pytest.raises(ValueError, match="Unknown access"):
        make(name="Deploy", access=["order:write"])


def issued(trust: Trust, **claims: str) -> tuple[ApiKey, str]:
    told = {"sub": "x", "jti": "1", "repository": "northwood/shop", "ref": "refs/heads/main"}
    by = Actor(address="203.0.113.7")
    identity = Identity(GITHUB, told | claims)
    return trusts.exchange_token(identity, trust.store_id, by=by, admit=lambda _: None)[1:]


def exchange(trust: Trust, **claims: str) -> ApiKey:
    return issued(trust, **claims)[0]


@pytest.mark.parametrize(
    ("typed", "claims"),
    [
        ({}, {"repository": "northwood/shop"}),
        (
            {"project": "northwood/*", "environment": "production"},
            {"repository": "northwood/*", "environment": "production"},
        ),
        ({"branch": "release/*"}, {"repository": "northwood/shop", "ref": "refs/heads/release/*"}),
        (
            {"issuer": GITLAB, "branch": "main"},
            {"project_path": "northwood/shop", "ref": "main", "ref_type": "branch"},
        ),
        (
            {"project": "", "claims": "repository_id = 12345\r\nactor=ada"},
            {"repository_id": "12345", "actor": "ada"},
        ),
    ],
)
def test_new_trust_asks_for_what_was_typed(
    signed_in: Client, typed: dict[str, str], claims: dict[str, str]
) -> None:
    answer = signed_in.post(f"{TRUSTS}new/", FORM | typed)
    trust = Trust.objects.get()
    assert answer["Location"] == f"{TRUSTS}{trust.pk}/"
    assert (trust.claims, trust.access, trust.lifetime) == (claims, ["orders:read", "orders:write"], 900)


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"name": ""}, "name"),
        ({"access": []}, "access"),
        ({"project": ""}, "project"),
        ({"project": "*"}, "project"),
        ({"project": "*/shop"}, "project"),
        ({"project": "north*/shop"}, "project"),
        ({"project": "northwood*"}, "project"),
        ({"project": "northwood/*/*"}, "project"),
        ({"project": "", "claims": "ref = main"}, "project"),
        ({"project": "", "claims": "repository_id = 12*"}, "project"),
        ({"claims": "aud = x"}, "project"),
        ({"claims": "no equals sign"}, "claims"),
        ({"issuer": "https://evil.example"}, "issuer"),
        ({"lifetime": "86400"}, "lifetime"),
        ({"allowed_addresses": "nonsense"}, "allowed_addresses"),
        ({"name": "19656ea.4329f04826e125f1ee999b53f78"}, "name"),
    ],
)
def test_new_trust_refuses_what_would_trust_too_much_or_nothing(
    signed_in: Client, typed: dict[str, Any], field: str
) -> None:
    answer = signed_in.post(f"{TRUSTS}new/", FORM | typed)
    assert answer.status_code == 200
    assert list(answer.context["form"].errors) == [field]
    assert typed != {"project": ""} or "Name the repository" in answer.text
    assert not Trust.objects.exists()


def test_edit_saves_a_trust_and_ends_its_keys(signed_in: Client, trust: Trust) -> None:
    key = exchange(trust)
    page = signed_in.get(f"{TRUSTS}{trust.pk}/edit/")
    assert page.context["back"] == f"{TRUSTS}{trust.pk}/"
    # These are among the claims.
    assert page.context["form"].fields.keys().isdisjoint(("project", "branch", "environment"))
    fields = page.context["form"].initial | {"access": ["products:read"]}
    stale = fields | {"version": "7"}
    assert "Somebody else changed this trust" in signed_in.post(f"{TRUSTS}{trust.pk}/edit/", stale).text
    unnamed = signed_in.post(f"{TRUSTS}{trust.pk}/edit/", fields | {"claims": "ref = x"})
    assert list(unnamed.context["form"].errors) == ["claims"]
    assert signed_in.post(f"{TRUSTS}{trust.pk}/edit/", fields).status_code == 302
    trust.refresh_from_db()
    assert (trust.access, trust.claims) == (["products:read"], {"repository": "northwood/shop"})
    key.refresh_from_db()
    assert key.deactivated_at


def test_trust_shows_exchanges_refusals_activity_and_the_workflow(signed_in: Client, trust: Trust) -> None:
    key = exchange(trust)
    with pytest.raises(trusts.TokenRefused) as refused:
        exchange(trust, repository="evil/<b>")
    trusts.record_refusals(refused.value.reasons, Identity(GITHUB, {"sub": "evil"}), Actor())
    page = signed_in.get(f"{TRUSTS}{trust.pk}/").text
    for told in (
        key.prefix,
        "northwood/shop@refs/heads/main",
        "repository is “evil/&lt;b&gt;” and has to be “northwood/shop”.",
        "Trusted the workload “Deploy”",
        "audience=http://testserver/v1/stores/267418190/",
    ):
        assert told in page, told
    assert "Deploy" in signed_in.get(TRUSTS).text


def test_a_key_of_a_trust_is_neither_changed_nor_rolled_nor_turned_on_again(
    signed_in: Client, trust: Trust, owner: User
) -> None:
    key, by = exchange(trust), Actor(owner)
    assert f"{TRUSTS}{trust.pk}/" in signed_in.get(f"{KEYS}{key.prefix}/").text
    for change in (
        lambda: lifecycle.update_key(key, by=by, version=1, expires_at=None),
        lambda: lifecycle.roll_key(key, by=by, overlap=timedelta(0)),
    ):
        with pytest.raises(StaleKey):
            change()
    trusts.set_paused(trust, by=by, paused=True)
    assert lifecycle.extend_keys([key], by=by, expires_at=timezone.now() + timedelta(days=9)) == []
    assert lifecycle.reactivate_keys([key], by=by) == []
    assert ApiKey.objects.usable().count() == 0


def test_pause_resume_and_delete_do_so_and_are_in_the_activity(signed_in: Client, trust: Trust) -> None:
    for step, fields in (("pause", {}), ("pause", {}), ("pause", {"resume": ""}), ("delete", {})):
        signed_in.post(f"{TRUSTS}{trust.pk}/{step}/", fields)
    events = AuditEntry.objects.values_list("event", flat=True)
    assert list(events) == ["trust_end", "trust_start", "trust_pause", "trusted"]
    assert "Deleted the trust “Deploy” with its keys." in signed_in.get(f"{KEYS}activity/").text


@pytest.fixture
def used(trust: Trust) -> ApiKey:
    """A key of the trust that has read orders, and was refused customers."""
    key, plaintext = issued(trust)
    for resource in ("orders", "customers"):
        Client().get(f"/v1/stores/267418190/{resource}/", headers=bearer(plaintext))
    return key


def test_keys_of_trusts_are_in_no_list(signed_in: Client, used: ApiKey) -> None:
    listed = signed_in.get(KEYS)
    assert (used.prefix in listed.text, listed.context["has_keys"]) == (False, 0)
    assert f'href="{TRUSTS}"' in listed.text


def test_keys_of_trusts_are_in_usage_log_activity_rehearsal_and_incident_sheet_like_any_other(
    signed_in: Client, used: ApiKey, trust: Trust
) -> None:
    page = signed_in.get(f"{KEYS}{used.prefix}/")
    assert (page.context["period"].succeeded, page.context["period"].refused) == (1, 1)
    ((exchanged, key, requests),) = signed_in.get(f"{TRUSTS}{trust.pk}/").context["exchanges"]
    assert (exchanged.prefix, key, requests) == (used.prefix, used, 2)
    logged = signed_in.get(f"{KEYS}requests/", {"key": used.prefix}).text
    assert "/v1/stores/267418190/orders/" in logged
    assert "/v1/stores/267418190/customers/" in logged
    made = "Created by the trust “Deploy” for northwood/shop@refs/heads/main."
    assert made in signed_in.get(f"{KEYS}activity/").text
    rehearsed = signed_in.get(f"{KEYS}{used.prefix}/deactivate/").context["rehearsal"]
    assert (rehearsed.fails, rehearsed.refused) == (1, 1)
    sheet = signed_in.get(f"{KEYS}{used.prefix}/incident/").context["incident"]
    assert (sheet["requests"], [one["resource"] for one in sheet["touched"]]) == (2, ["orders"])


@pytest.mark.parametrize(("file", "rows"), [("usage", 2), ("requests", 2), ("activity", 1)])
def test_keys_of_trusts_are_in_the_csv_files_like_any_other(
    signed_in: Client, used: ApiKey, file: str, rows: int
) -> None:
    answer: Any = signed_in.get(f"{KEYS}{file}.csv")
    lines = b"".join(answer.streaming_content).decode().splitlines()
    assert sum(used.prefix in line for line in lines) == rows


def test_pause_by_a_visitor_leads_back_to_the_trust(trust: Trust) -> None:
    answer = Client().post(f"{TRUSTS}{trust.pk}/pause/")
    assert answer["Location"].endswith(f"?{urlencode({'next': f'{TRUSTS}{trust.pk}/'})}")
