"""The exchange of a workload's identity token for a short-lived key."""

import json
import os
import shutil
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import jwt
import pytest
import requests
import time_machine
import yaml
from cryptography.hazmat.primitives import serialization
from django.apps import apps
from django.contrib.auth.models import User
from django.template.loader import render_to_string
from django.test import Client
from django.utils import timezone
from pytest_django.live_server_helper import LiveServer

from apikeys import https_json, key_text, lifecycle, oidc, trusts
from apikeys.actors import Actor
from apikeys.api import rate_limits
from apikeys.api.token import GRANT_TYPE
from apikeys.error_codes import ERROR_CODES
from apikeys.locks import lock_store
from apikeys.models import ApiKey, AuditEntry, IssuerKeys, TokenExchange, Trust
from apikeys.models.trust import store_url
from apikeys.oidc import KeySets
from stores.models import Store
from tests import programs
from tests.concurrency import at_once
from tests.conftest import bearer, deliver_emails
from tests.issuer import DISCOVERY, Issuer, SigningKey, make_trust

URL = "/v1/token/"
ORDERS = "/v1/stores/267418190/orders/"


@pytest.fixture(scope="module")
def _issuer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Issuer]:
    issuer = Issuer(tmp_path_factory.mktemp("issuer"))
    yield issuer
    issuer.stop()


@pytest.fixture
def issuer(_issuer: Issuer, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Issuer:
    """An issuer that an operator has allowed, of whose keys nobody here knows yet."""
    settings.OIDC_ISSUERS = {_issuer.url: str(_issuer.ca_file)}
    settings.RATE_LIMIT_FAILED_KEYS = 1000
    # However busy the machine is.
    monkeypatch.setattr(https_json, "MAX_SECONDS", 60)
    monkeypatch.setattr(oidc, "WAIT_SECONDS", 60)
    _issuer.forget()
    forget_keys()
    return _issuer


def forget_keys() -> None:
    """As a process that has just started."""
    apps.get_app_config("apikeys").key_sets = KeySets()  # type: ignore[attr-defined]


@pytest.fixture
def trust(issuer: Issuer, store: Store, owner: User) -> Trust:
    return make_trust(store, Actor(owner), issuer=issuer.url, ref="refs/heads/*")


def form(token: str) -> dict[str, Any]:
    return {
        "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
        "subject_token": token,
        "subject_token_type": "urn:ietf:params:oauth:token-type:id_token",
        "audience": store_url(267418190),
    }


def ask(token: str, *, as_json: bool = False, **changes: Any) -> Any:
    fields = {name: value for name, value in (form(token) | changes).items() if value is not None}
    if as_json:
        return Client().post(URL, json.dumps(fields), content_type="application/json")
    body = "&".join(f"{name}={value}" for name, value in fields.items())
    return Client().post(URL, body, content_type="application/x-www-form-urlencoded")


def refused(answer: Any) -> tuple[int, str]:
    body = answer.json()
    assert {"error", "error_description", "code", "request_id"} <= set(body), body
    return answer.status_code, body["error"]


@pytest.mark.parametrize("as_json", [True, False])
def test_token_becomes_a_key_for_minutes(
    issuer: Issuer, trust: Trust, client: Client, *, as_json: bool
) -> None:
    answer = ask(issuer.token(), as_json=as_json)
    assert (answer.status_code, answer["Cache-Control"]) == (200, "no-store")
    body = answer.json()
    plaintext = body.pop("access_token")
    assert body == {
        "issued_token_type": "urn:ietf:params:oauth:token-type:access_token",
        "token_type": "Bearer",
        "expires_in": 900,
        "scope": "orders:read",
    }
    exchange = TokenExchange.objects.get()
    assert (exchange.run, exchange.address) == ("northwood/shop@refs/heads/main", "127.0.0.1")
    trust.refresh_from_db()
    assert (trust.last_exchange_at, exchange.prefix) == (exchange.at, plaintext[:7])
    # Of the trust, and not of its key.
    assert [email.subject for email in deliver_emails()] == [
        "A workload is trusted with API keys of Northwood"
    ]
    assert client.get(ORDERS, headers=bearer(plaintext)).status_code == 200
    assert client.get("/v1/stores/267418190/customers/", headers=bearer(plaintext)).status_code == 401
    with time_machine.travel(timezone.now() + timedelta(seconds=901)):
        late = client.get(ORDERS, headers=bearer(plaintext))
        assert (late.status_code, late.json()["code"]) == (401, "api_key_expired")


def public_pem(key: SigningKey) -> bytes:
    return key.private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def forge(issuer: Issuer, algorithm: str) -> str:
    """A token that is signed with nothing, or with a public key as if that were a secret."""
    key = issuer.keys[0]
    header = {"kid": key.id, "typ": "JWT", "alg": algorithm}
    claims = jwt.decode(issuer.token(), options={"verify_signature": False})
    parts = [jwt.utils.base64url_encode(json.dumps(part).encode()) for part in (header, claims)]
    message = b".".join(parts)
    secret = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256)
    signature = b"" if algorithm == "none" else secret.sign(message, public_pem(key))
    return (message + b"." + jwt.utils.base64url_encode(signature)).decode()


NOW = int(time.time())
REPOSITORY = "and has to be “northwood/shop”."
NO_TEXT = "repository is no text: it has to be “northwood/shop”."
FORMAT = "The token is not valid: Invalid claim format in token (strict)."
TOO_LONG = "The token is not valid: It is good for longer than a day."
# Claims of tokens that their issuer has signed, and what the log of the trust says is wrong with them.
BAD_CLAIMS: list[tuple[dict[str, Any], str]] = [
    ({"aud": store_url(518203746)}, "The token is not valid: Audience doesn't match (strict)."),
    ({"aud": [store_url(267418190), "https://evil.example"]}, FORMAT),
    ({"aud": [store_url(267418190)]}, FORMAT),
    ({"exp": NOW - 120}, "The token is not valid: Signature has expired."),
    ({"nbf": NOW + 3600, "exp": NOW + 7200}, "The token is not valid: The token is not yet valid (nbf)."),
    ({"iat": NOW + 3600, "exp": NOW + 7200}, "The token is not valid: The token is not yet valid (iat)."),
    ({"exp": NOW + 365 * 86400}, TOO_LONG),
    ({"exp": 10**400}, TOO_LONG),
    ({"exp": None}, 'The token is not valid: Token is missing the "exp" claim.'),
    ({"jti": None}, 'The token is not valid: Token is missing the "jti" claim.'),
    ({"jti": ["x"]}, "The token is not valid: JWT ID must be a string."),
    ({"repository": "northwood/shop2"}, f"repository is “northwood/shop2” {REPOSITORY}"),
    ({"repository": None}, "repository is missing: it has to be “northwood/shop”."),
    ({"repository": ["northwood/shop"]}, NO_TEXT),
    ({"repository": 7}, NO_TEXT),
    ({"repository": "Northwood/Shop"}, f"repository is “Northwood/Shop” {REPOSITORY}"),
    ({"repository": "northwood/shop\0"}, f"repository is “northwood/shop” {REPOSITORY}"),
    ({"ref": "refs/tags/main"}, "ref is “refs/tags/main” and has to be “refs/heads/*”."),
]
OTHER = SigningKey()
# Of what nobody has signed whom we know, the log says nothing.
FORGED: dict[str, Callable[[Issuer], str]] = {
    "alg none": lambda issuer: forge(issuer, "none"),
    "HMAC with the public key": lambda issuer: forge(issuer, "HS256"),
    "another's key under this one's id": lambda issuer: forged(issuer),
    "no key id": lambda issuer: issuer.token(header={}),
    "another issuer": lambda issuer: issuer.token(iss="https://evil.example"),
    "an issuer that is a list": lambda issuer: issuer.token(iss=[issuer.url]),
    "no token": lambda issuer: "nonsense",
    "parts of a token": lambda issuer: "..",
    "a token of lists": lambda issuer: "W10.W10.W10",
}


def forged(issuer: Issuer) -> str:
    return issuer.token(key=OTHER, header={"kid": issuer.keys[0].id})


def test_tokens_that_are_not_right_get_no_key_and_the_reasons_are_in_the_log_of_the_trust_alone(
    issuer: Issuer, trust: Trust
) -> None:
    for claims, reason in BAD_CLAIMS:
        answer = ask(issuer.token(**claims))
        assert refused(answer) == (400, "invalid_grant"), claims
        assert answer.json()["error_description"] == ERROR_CODES["invalid_grant"].sentence
        assert TokenExchange.objects.latest("pk").reason == reason
    for name, make in FORGED.items():
        assert refused(ask(make(issuer))) == (400, "invalid_grant"), name
    assert (ApiKey.objects.count(), TokenExchange.objects.count()) == (0, len(BAD_CLAIMS))


def test_a_reason_is_cut_to_its_column(issuer: Issuer, trust: Trust) -> None:
    Trust.objects.update(claims={"n" * 100: "w" * 200})
    long: dict[str, Any] = {"n" * 100: "f" * 300}
    ask(issuer.token(**long))
    assert len(TokenExchange.objects.get().reason) == 400


@pytest.mark.parametrize(
    ("change", "reasons"),
    [
        (trusts.delete_trust, []),
        (partial(trusts.set_paused, paused=True), ["The trust is paused."]),
        (
            partial(trusts.update_trust, version=1, claims={"ref": "x"}, issuer="https://gitlab.example"),
            [],
        ),
        (
            lambda trust, by: lifecycle.suspend_store(trust.store, by=by, reason="Guessing."),
            [
                "An operator suspended all API keys of this store (Guessing.), and it gets no new ones until "
                "the suspension is lifted."
            ],
        ),
    ],
)
def test_a_change_that_comes_first_counts(
    issuer: Issuer,
    trust: Trust,
    owner: User,
    monkeypatch: pytest.MonkeyPatch,
    change: Any,
    reasons: list[str],
) -> None:
    """It is done just before the exchange holds the store: what was read before is not believed."""
    lock = lock_store

    def change_and_lock(store: Store) -> Any:
        monkeypatch.setattr(trusts, "lock_store", lock)
        change(trust, by=Actor(owner))
        return lock(store)

    monkeypatch.setattr(trusts, "lock_store", change_and_lock)
    assert refused(ask(issuer.token())) == (400, "invalid_grant")
    assert [exchange.reason for exchange in TokenExchange.objects.all()] == reasons
    assert not ApiKey.objects.exists()


def test_a_trust_is_deleted_once(trust: Trust, owner: User) -> None:
    for _ in range(2):
        trusts.delete_trust(trust, by=Actor(owner))
    assert AuditEntry.objects.filter(event="trust_end").count() == 1


def test_a_key_lasts_as_long_as_its_answer_says_though_the_store_was_held(
    issuer: Issuer, trust: Trust, monkeypatch: pytest.MonkeyPatch
) -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:

        def wait_and_lock(store: Store) -> Any:
            clock.shift(10)
            return lock_store(store)

        monkeypatch.setattr(trusts, "lock_store", wait_and_lock)
        seconds = ask(issuer.token()).json()["expires_in"]
        assert ApiKey.objects.get().expires_at == timezone.now() + timedelta(seconds=seconds)


@pytest.mark.django_db(transaction=True)
def test_a_token_is_taken_once(issuer: Issuer, trust: Trust) -> None:
    token = issuer.token()
    assert Counter(answer.status_code for answer in at_once(lambda _: ask(token), 4)) == {200: 1, 400: 3}
    refusals = TokenExchange.objects.filter(prefix="").values_list("reason", flat=True)
    assert set(refusals) == {"This token was exchanged before: each is taken once."}


def test_a_token_is_taken_once_though_its_trust_is_made_anew(
    issuer: Issuer, trust: Trust, owner: User
) -> None:
    token = issuer.token()
    assert ask(token).status_code == 200
    trusts.delete_trust(trust, by=Actor(owner))
    trust.pk = None
    trust.save(force_insert=True)
    assert refused(ask(token))[1] == "invalid_grant"
    assert ask(issuer.token()).status_code == 200


def test_an_exchange_draws_a_taken_prefix_again(
    issuer: Issuer, trust: Trust, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(issuer.token())
    taken = ApiKey.objects.get().prefix
    draws = iter([(taken, f"{taken}.{'0' * 27}"), ("0123abc", f"0123abc.{'0' * 27}")])
    monkeypatch.setattr(key_text, "generate", lambda: next(draws))
    assert ask(issuer.token()).json()["access_token"].startswith("0123abc")
    assert set(TokenExchange.objects.values_list("prefix", flat=True)) == {taken, "0123abc"}


def test_a_trust_keeps_its_newest_refusals(
    issuer: Issuer, trust: Trust, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trusts, "MAX_REFUSALS", 2)
    for number in range(4):
        ask(issuer.token(repository=f"evil/{number}"))
    assert [exchange.run for exchange in trust.exchanges.all()] == [
        "evil/3@refs/heads/main",
        "evil/2@refs/heads/main",
    ]


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"grant_type": None}, "invalid_request"),
        ({"grant_type": "client_credentials"}, "unsupported_grant_type"),
        ({"subject_token": None}, "invalid_request"),
        ({"subject_token": "x" * 16_001}, "invalid_request"),
        ({"subject_token_type": "urn:ietf:params:oauth:token-type:saml2"}, "invalid_request"),
        ({"audience": "https://evil.example/v1/stores/267418190/"}, "invalid_target"),
        ({"audience": "nonsense"}, "invalid_target"),
        ({"scope": "orders:read"}, "invalid_request"),
    ],
)
def test_a_request_that_is_not_right_says_why(
    issuer: Issuer, trust: Trust, changes: dict[str, Any], error: str
) -> None:
    answer = ask(issuer.token(), **changes)
    assert refused(answer) == (400, error)
    told, (field,) = answer.json()["error_description"], changes
    assert f"{field}`" in told if error == "invalid_request" else told == ERROR_CODES[error].sentence
    assert issuer.asked == []


def test_a_body_that_makes_no_sense_is_refused(db: None) -> None:
    for body in (
        *("[]", '"x"', "{", "null", '{"grant_type": []}', '{"subject_token": {}}'),
        *(r'{"\ud800": 1}', rf'{{"grant_type": "{GRANT_TYPE}", "subject_token_type": "\ud800"}}'),
    ):
        answer = Client().post(URL, body, content_type="application/json")
        assert refused(answer) == (400, "invalid_request"), body
    answer = Client().post(URL, "audience=a&audience=b", content_type="application/x-www-form-urlencoded")
    assert refused(answer) == (400, "invalid_request")
    assert answer.json()["error_description"] == "audience is there more than once."


# The issuer's keys.


def redirect(handler: Any) -> None:
    handler.send_response(302)
    handler.send_header("Location", "/elsewhere")
    handler.end_headers()


def send_too_much(handler: Any) -> None:
    handler.send_response(200)
    handler.end_headers()
    handler.wfile.write(b'{"keys": [' + b" " * 300_000 + b"]}")


BAD_DOCUMENTS: dict[str, tuple[str, Any]] = {
    "it redirects": (DISCOVERY, redirect),
    "it is too large": ("/keys", send_too_much),
    "it is no JSON object": (DISCOVERY, []),
    "it is another's": (DISCOVERY, {"issuer": "https://evil.example"}),
    "its keys are in our network": (DISCOVERY, {"jwks_uri": "https://localhost:1/keys"}),
    "its keys are nowhere": (DISCOVERY, {"jwks_uri": None}),
    "its keys are not over HTTPS": (DISCOVERY, {"jwks_uri": "http://127.0.0.1/keys"}),
    "its keys are none": ("/keys", {"keys": {"a": 1}}),
}


def test_an_issuer_that_answers_wrong_is_unavailable(issuer: Issuer, trust: Trust) -> None:
    for bad, (path, answer) in BAD_DOCUMENTS.items():
        is_partial = isinstance(answer, dict) and path == DISCOVERY
        issuer.answers = {path: issuer.document(path) | answer if is_partial else answer}
        IssuerKeys.objects.all().delete()
        forget_keys()
        unavailable = ask(issuer.token())
        assert refused(unavailable) == (503, "temporarily_unavailable"), bad
        assert unavailable["Retry-After"] == "60"


def test_an_issuer_that_answers_slowly_is_given_up(
    issuer: Issuer, trust: Trust, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_given_up = threading.Event()

    def send_slowly(handler: Any) -> None:
        handler.send_response(200)
        handler.end_headers()
        while not is_given_up.wait(0.05):
            handler.wfile.write(b" ")
            handler.wfile.flush()

    monkeypatch.setattr(https_json, "MAX_SECONDS", 1)
    issuer.answers["/keys"] = send_slowly
    answer = ask(issuer.token())
    is_given_up.set()
    assert refused(answer) == (503, "temporarily_unavailable")


def test_keys_are_read_once_for_all_processes(issuer: Issuer, trust: Trust) -> None:
    for _ in range(3):
        assert ask(issuer.token()).status_code == 200
        forget_keys()
    assert issuer.asked == [DISCOVERY, "/keys"]


def test_a_key_that_nobody_knows_is_asked_for_once_a_minute(
    issuer: Issuer, trust: Trust, within_a_minute: None
) -> None:
    ask(issuer.token())
    issuer.rotate()
    # It may be the issuer's newest key, which may not be asked for yet.
    forget_keys()
    answer = ask(issuer.token())
    assert (*refused(answer), answer["Retry-After"]) == (503, "temporarily_unavailable", "60")
    with time_machine.travel(timezone.now() + timedelta(seconds=61), tick=False):
        forget_keys()
        assert refused(ask(issuer.token(key=OTHER))) == (400, "invalid_grant")
        assert ask(issuer.token()).status_code == 200
        for _ in range(5):
            forget_keys()
            assert refused(ask(issuer.token(key=OTHER))) == (503, "temporarily_unavailable")
    assert issuer.asked == [DISCOVERY, "/keys"] * 2


def test_while_its_issuer_is_away_for_ten_minutes_a_known_key_is_enough(issuer: Issuer, trust: Trust) -> None:
    start = timezone.now()
    with time_machine.travel(start, tick=False) as clock:
        ask(issuer.token())
        issuer.answers = {DISCOVERY: redirect}
        for _ in range(10):
            clock.shift(timedelta(minutes=1))
            forget_keys()
            assert ask(issuer.token()).status_code == 200
            answer = ask(issuer.token(key=OTHER))
            assert (*refused(answer), answer["Retry-After"]) == (503, "temporarily_unavailable", "60")
            assert ask(issuer.token()).status_code == 200
        issuer.answers.clear()
        issuer.keys.append(OTHER)
        clock.shift(timedelta(seconds=61))
        forget_keys()
        assert ask(issuer.token(key=OTHER)).status_code == 200
    assert IssuerKeys.objects.get().keys


def test_a_key_that_was_known_waits_for_nobody_who_asks_for_another(monkeypatch: pytest.MonkeyPatch) -> None:
    is_asked, is_answered = threading.Event(), threading.Event()
    published = OTHER.published

    def read_key_set(issuer: str, key_id: str) -> oidc.KeySet:
        if key_id == "unknown":
            is_asked.set()
            is_answered.wait(60)
        return oidc.KeySet(oidc.parse_keys([published]))

    monkeypatch.setattr(oidc, "read_key_set", read_key_set)
    monkeypatch.setattr(oidc, "MEMORY_SECONDS", 0)
    key_sets, known = KeySets(), published["kid"]
    key_sets.find_key("https://issuer.example", known)
    with ThreadPoolExecutor(1) as elsewhere:
        asking = elsewhere.submit(key_sets.find_key, "https://issuer.example", "unknown")
        try:
            assert is_asked.wait(60)
            assert key_sets.find_key("https://issuer.example", known).key_id == known
        finally:
            is_answered.set()
        assert isinstance(asking.exception(), oidc.IssuerUnavailable)


def test_keys_that_are_an_hour_old_are_read_anew_by_a_worker(issuer: Issuer, trust: Trust) -> None:
    ask(issuer.token())
    with time_machine.travel(timezone.now() + timedelta(minutes=61)):
        forget_keys()
        assert ask(issuer.token()).status_code == 200
        assert issuer.asked == [DISCOVERY, "/keys"]
        deliver_emails()
    assert issuer.asked == [DISCOVERY, "/keys"] * 2


# What ends a key, and whom a trust takes.


def issue(issuer: Issuer) -> str:
    plaintext: str = ask(issuer.token()).json()["access_token"]
    return plaintext


def test_a_trust_that_is_paused_or_deleted_ends_its_keys(issuer: Issuer, trust: Trust, owner: User) -> None:
    for end in (partial(trusts.set_paused, paused=True), trusts.delete_trust):
        trusts.set_paused(trust, by=Actor(owner), paused=False)
        plaintext = issue(issuer)
        end(trust, by=Actor(owner))
        assert Client().get(ORDERS, headers=bearer(plaintext)).status_code == 401
        assert refused(ask(issuer.token())) == (400, "invalid_grant")


def test_a_trust_of_another_store_takes_nothing(issuer: Issuer, trust: Trust, other_store: Store) -> None:
    Trust.objects.update(store=other_store)
    assert refused(ask(issuer.token())) == (400, "invalid_grant")


def test_a_token_from_another_address_gets_no_key(issuer: Issuer, trust: Trust) -> None:
    Trust.objects.update(allowed_addresses=["203.0.113.0/24"])
    assert refused(ask(issuer.token())) == (400, "invalid_grant")
    assert "127.0.0.1" in TokenExchange.objects.get().reason


@pytest.mark.usefixtures("within_a_minute")
def test_a_trust_makes_so_many_keys_a_minute(
    issuer: Issuer, trust: Trust, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rate_limits, "MAX_EXCHANGES_A_MINUTE", 2)
    first = issuer.token()
    # Whoever has a token that was taken uses up none of them.
    statuses = [ask(token).status_code for token in (first, first, first, issuer.token(), issuer.token())]
    assert statuses == [200, 400, 400, 200, 429]
    assert ApiKey.objects.filter(trust=trust).count() == 2


def test_an_exchange_makes_few_queries(
    issuer: Issuer, trust: Trust, django_assert_max_num_queries: Any
) -> None:
    ask(issuer.token())
    with django_assert_max_num_queries(9):
        assert ask(issuer.token()).status_code == 200


@pytest.mark.usefixtures("within_a_minute")
def test_bad_tokens_of_an_address_are_limited_and_ask_nobody(
    issuer: Issuer, trust: Trust, settings: Any, django_assert_num_queries: Any
) -> None:
    settings.RATE_LIMIT_FAILED_KEYS = 2
    ask(issuer.token())
    with django_assert_num_queries(0):
        answers = [ask(forged(issuer)) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [400, 400, 429]


@pytest.mark.usefixtures("within_a_minute")
def test_tokens_of_unknown_keys_from_an_address_are_limited(
    issuer: Issuer, trust: Trust, settings: Any
) -> None:
    settings.RATE_LIMIT_FAILED_KEYS = 2
    ask(issuer.token())
    answers = []
    for _ in range(3):
        forget_keys()
        answers.append(ask(issuer.token(key=OTHER)).status_code)
    assert answers == [503, 503, 429]
    assert ask(issuer.token()).status_code == 200


def test_keys_of_trusts_are_gone_a_day_after_their_end_and_exchanges_after_three_months(
    issuer: Issuer, trust: Trust
) -> None:
    issue(issuer)
    for hours, left in ((24, (1, 1)), (25, (0, 1)), (91 * 24, (0, 0))):
        with time_machine.travel(timezone.now() + timedelta(hours=hours)):
            trusts.prune_trusts()
        assert (ApiKey.objects.count(), TokenExchange.objects.count()) == left


GITHUB_SHELL = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c"]


def github_steps(lines: str) -> list[str]:
    """The commands of a workflow, each of which GitHub runs in a shell of its own."""
    steps = yaml.safe_load(lines)["jobs"]["deploy"]["steps"]
    # Without pipefail a step goes on with nothing for a token.
    assert steps[0]["shell"] == "bash"
    return [step["run"] for step in steps]


def gitlab_steps(lines: str) -> list[str]:
    """The commands of a job, which GitLab runs as one script."""
    return ["\n".join(yaml.safe_load(lines)["deploy"]["script"])]


EXAMPLES: dict[str, Callable[[str], list[str]]] = {
    "github": github_steps,
    "gitlab": gitlab_steps,
    "shell": lambda lines: [lines],
}


@pytest.mark.parametrize(
    ("example", "repository", "status"),
    [*((example, "northwood/shop", 0) for example in EXAMPLES), ("github", "evil/shop", 22)],
)
@pytest.mark.django_db(transaction=True)
def test_the_lines_of_the_page_work_as_they_are_pasted(
    issuer: Issuer,
    trust: Trust,
    live_server: LiveServer,
    settings: Any,
    tmp_path: Path,
    example: str,
    repository: str,
    status: int,
) -> None:
    if not (shutil.which("jq") and shutil.which("curl")):
        programs.skip("The examples take jq and curl.")
    settings.SITE_URL = live_server.url
    token = issuer.token(repository=repository, aud=trust.audience)
    issuer.answers[f"/run?x=1&audience={trust.audience}"] = {"value": token}
    template = f"apikeys/examples/token_{example}.txt"
    lines = render_to_string(template, {"trust": trust, "site_url": live_server.url})
    (tmp_path / "env").touch()
    variables = {
        "PATH": os.environ["PATH"],
        "CURL_CA_BUNDLE": str(issuer.ca_file),
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "of the runner",
        "ACTIONS_ID_TOKEN_REQUEST_URL": f"{issuer.url}/run?x=1",
        "GITHUB_ENV": str(tmp_path / "env"),
    }
    if example != "github":
        variables["ID_TOKEN"] = token
    for step in EXAMPLES[example](lines):
        done = subprocess.run(
            [*GITHUB_SHELL, step], env=variables, capture_output=True, text=True, check=False
        )
        if done.returncode:
            break
        variables |= dict(line.split("=", 1) for line in (tmp_path / "env").read_text().splitlines())
    assert done.returncode == status, done.stderr
    if not status:
        assert json.loads(done.stdout)["data"] == []


@pytest.mark.django_db(transaction=True)
def test_keys_are_rotated_while_a_hundred_exchange(
    issuer: Issuer, trust: Trust, live_server: LiveServer, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rate_limits, "MAX_EXCHANGES_A_MINUTE", 1000)
    settings.RATE_LIMIT_PER_ADDRESS = 1000
    ask(issuer.token())
    # As two minutes later: what a process has just asked for, it does not ask for again.
    IssuerKeys.objects.update(asked_at=timezone.now() - timedelta(minutes=2))
    forget_keys()

    def exchange(number: int) -> int:
        if number == 40:
            issuer.keys.append(SigningKey())
        fields = form(issuer.token(key=issuer.keys[-1] if number % 2 else issuer.keys[0]))
        return requests.post(f"{live_server.url}{URL}", data=fields, timeout=60).status_code

    with ThreadPoolExecutor(8) as threads:
        assert Counter(threads.map(exchange, range(100))) == {200: 100}
    assert issuer.asked == [DISCOVERY, "/keys"] * 2
