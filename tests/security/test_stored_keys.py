"""A copy of the database holds no key, whatever was done with it."""

from django.contrib.auth.models import User
from django.db import connection
from django.test import Client

from apikeys import trusts
from apikeys.actors import Actor
from apikeys.models import ApiKey
from apikeys.models.trust import GITHUB
from apikeys.oidc import Identity
from stores.models import Store
from tests.conftest import IssueKey, bearer
from tests.issuer import make_trust


def exchange(store: Store, by: Actor) -> str:
    """A key of a trust."""
    claims = {"repository": "northwood/shop"}
    make_trust(store, by)
    identity = Identity(GITHUB, claims | {"jti": "1"})
    return trusts.exchange_token(identity, store.pk, by=Actor(), admit=lambda _: None)[2]


def test_no_table_holds_a_key(issue: IssueKey, owner: User) -> None:
    """Made, renewed, given up, exchanged, rolled, handed in and answered twice: each column of each row."""
    program, plaintext = issue(access=["orders:write", "api_keys:write"], renews_days=30)
    client = Client(headers=bearer(plaintext) | {"Idempotency-Key": "once"})
    path = f"/v1/stores/{program.store_id}/api-keys/"
    body = {"name": "Made", "access": ["orders:read"], "expires_in": 86400}
    made = [client.post(path, body, "application/json").json() for _ in range(2)]
    headers = bearer(plaintext) | {"Idempotency-Key": "another"}
    rolled = (
        Client(headers=headers)
        .post(f"{path}{made[0]['prefix']}/roll/", {"overlap": 60}, "application/json")
        .json()
    )
    given_up, renewed = (
        Client().generic("POST", "/v1/api-key/roll/", headers=bearer(plaintext)).json() for _ in range(2)
    )
    exchanged = exchange(program.store, Actor(owner))
    for key in (given_up["key"], exchanged):
        Client().get(f"/v1/stores/{program.store_id}/orders/", headers=bearer(key))
    assert ApiKey.objects.filter(reused_at__isnull=False).exists()
    Client().post("/v1/api-keys/revoke/", {"keys": [plaintext]}, "application/json")
    assert made[0]["key"] == made[1]["key"]
    answers = (made[0], rolled, given_up, renewed)
    keys = [plaintext, exchanged, *(answer["key"] for answer in answers)]
    secrets = [key.partition(".")[2] for key in keys]
    assert all(len(secret) == 27 for secret in secrets)
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')  # noqa: S608  # names of our own
            rows = str([[bytes(v) if isinstance(v, memoryview) else v for v in row] for row in cursor])
            assert not any(secret in rows for secret in secrets), table
