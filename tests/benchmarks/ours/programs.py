"""The cost of making keys by program, in the demo store."""

import statistics
from collections.abc import Callable
from itertools import count
from typing import Any

import jwt
from django.test import Client
from django.test.utils import override_settings
from django.utils import timezone

import reflow.wsgi  # noqa: F401  # It sets up connections and the garbage collector as in production.
from apikeys import lifecycle, renewal
from apikeys.actors import Actor
from apikeys.models import ApiKey, IssuerKeys
from apikeys.models.trust import store_url
from stores.demo import NORTHWOOD_ID
from stores.models import Store
from tests.benchmarks.ours.seed import UNLIMITED
from tests.benchmarks.worker import clock
from tests.issuer import SigningKey, make_trust, sign

# Of one trust in a minute there are not many more.
ROUNDS = 40
STORE = f"/v1/stores/{NORTHWOOD_ID}"
ISSUER = "https://issuer.example"
GRANT = {
    "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
    "subject_token_type": "urn:ietf:params:oauth:token-type:id_token",
}


def make_requests(store: Store) -> dict[str, Callable[[], Any]]:
    """Return the requests by name, each of which can be made again and again."""
    by, numbers, signing_key = Actor(), count(), SigningKey()
    access = ["orders:read", "products:write", "api_keys:write"]
    _, plaintext = lifecycle.insert_key(store=store, name="Program", access=access, rate_limit=UNLIMITED)
    old, _ = lifecycle.create_key(store=store, name="Renewing", access=access, renews_days=30, by=by)
    ApiKey.objects.filter(pk=old.pk).update(rate_limit=UNLIMITED)
    _, renewed = renewal.renew_key(old, by=Actor(key=old))
    now = timezone.now()
    IssuerKeys.objects.create(issuer=ISSUER, keys=[signing_key.published], fetched_at=now, asked_at=now)
    make_trust(store, by, issuer=ISSUER)
    tokens = [sign(signing_key, ISSUER) for _ in range(2 * ROUNDS)]
    audience = store_url(store.pk)

    # One for all: each client loads the middleware anew.
    client = Client(SERVER_NAME="localhost")

    def bearer(key: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {key}"} if key else {}

    def post(path: str, key: str = "", **fields: Any) -> Any:
        return client.post(path, fields, "application/json", headers=bearer(key))

    return {
        "check": lambda: client.get(f"{STORE}/nothing/", headers=bearer(plaintext)),
        "check of a renewed key": lambda: client.get(f"{STORE}/nothing/", headers=bearer(renewed)),
        "product": lambda: post(f"{STORE}/products/", plaintext, name=f"Cup {next(numbers)}", price=900),
        "key": lambda: post(
            f"{STORE}/api-keys/",
            plaintext,
            name=f"Made {next(numbers)}",
            access=["orders:read"],
            expires_in=86400,
        ),
        "exchange": lambda: post("/v1/token/", audience=audience, subject_token=tokens.pop(), **GRANT),
        "signature": lambda: jwt.decode(
            tokens[0], signing_key.private.public_key(), algorithms=["RS256"], audience=audience
        ),
    }


@override_settings(OIDC_ISSUERS={ISSUER: ""})
def measure() -> dict[str, float]:
    """Return the medians in microseconds of each request, made in turn, and of verifying a signature."""
    requests = make_requests(Store.objects.get(pk=NORTHWOOD_ID))
    seconds: dict[str, list[float]] = {name: [] for name in requests}
    for _ in range(ROUNDS):
        for name, request in requests.items():
            started = clock()
            answer = request()
            seconds[name].append(clock() - started)
            assert isinstance(answer, dict) or answer.status_code in {200, 201}, answer.content
    return {name: statistics.median(taken) * 1_000_000 for name, taken in seconds.items()}
