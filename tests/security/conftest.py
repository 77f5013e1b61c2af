"""Targets of the attacks: two stores, and all pages as somebody gets them who may open every one."""

from dataclasses import dataclass

import pytest
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from apikeys.models import LoggedRequest, TokenExchange, Trust
from apikeys.models.suspension import Suspension
from stores.models import Store
from stores.resources import SCOPES
from tests.conftest import IssueKey, sign_in
from tests.key_requests import make_request, write_usage
from tests.security.surface import CLAIMS, EVIL, Page, Shops, everything, pages
from tests.shop import Caller
from tests.specimens import make_specimens


@pytest.fixture
def shops(store: Store, other_store: Store, issue: IssueKey) -> Shops:
    my_key, my_plaintext = issue(name="Mine", access=list(SCOPES))
    their_key, their_plaintext = issue(name="Theirs", access=list(SCOPES), store=other_store)
    for pk, key in enumerate((my_key, their_key), start=1):
        write_usage(make_request(key, at=timezone.now(), status_code=429, reason="rate_limited"))
        LoggedRequest.objects.filter(key=key).update(id=pk)
        trust = Trust.objects.create(
            pk=pk,
            store=key.store,
            name="Deploy",
            issuer="https://token.actions.githubusercontent.com",
            claims={"repository": "northwood/shop"},
            access=["orders:read"],
        )
        TokenExchange.objects.create(trust=trust, run="northwood/shop@refs/heads/main", reason="It is late.")
    elsewhere = Store.objects.create(id=999_999_999, name="Suspended")
    Suspension.objects.create(store=elsewhere, reason="Its keys were abused.")
    return Shops(
        mine=make_specimens(store),
        theirs=make_specimens(other_store),
        my_key=my_key,
        their_key=their_key,
        my_plaintext=my_plaintext,
        their_plaintext=their_plaintext,
    )


@pytest.fixture
def api(shops: Shops) -> Caller:
    """Somebody who may do everything in their own store."""
    return Caller(shops.mine.store, shops.my_plaintext)


@pytest.fixture
def mighty(shops: Shops, owner: User) -> Client:
    """A browser whose person owns a store and is an operator: whom an attacker would like to act as."""
    User.objects.filter(pk=owner.pk).update(is_staff=True, is_superuser=True)
    return signed_in_as(owner)


def signed_in_as(user: User) -> Client:
    return sign_in(Client(raise_request_exception=False), user.email)


@dataclass(frozen=True)
class Walk:
    """Answers of every page to a visit that claims to be from elsewhere, and all rows before and after."""

    answers: dict[Page, HttpResponse]
    bodies: dict[Page, bytes]
    before: dict[str, list[tuple[object, ...]]]
    after: dict[str, list[tuple[object, ...]]]


WALK = pytest.StashKey[Walk]()


@pytest.fixture
def walk(request: pytest.FixtureRequest, db: None) -> Walk:
    """Take the walk once for all tests; nothing of it is alive."""
    stash = request.config.stash
    if WALK not in stash:
        client: Client = request.getfixturevalue("mighty")
        shops: Shops = request.getfixturevalue("shops")
        before = everything()
        sent, visited = {"Origin": f"https://{EVIL}", **CLAIMS}, pages(shops)
        answers: dict[Page, HttpResponse] = {page: client.get(page.url, headers=sent) for page in visited}  # type: ignore[misc]
        bodies = {page: answer.getvalue() for page, answer in answers.items()}
        stash[WALK] = Walk(answers, bodies, before, everything())
    return stash[WALK]
