"""Many at once on one key: no server error, no lost update, nothing twice, and a complete history."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client

from apikeys import lifecycle
from apikeys.actors import Actor
from apikeys.models import ApiKey, AuditEntry
from apikeys.settings_page.forms import NAME_TAKEN, initial_of
from apikeys.settings_page.one_time_display import COOKIE_PREFIX
from stores.models import Coupon, Order, Store
from stores.resources import SCOPES
from tests.concurrency import MANY, at_once
from tests.conftest import IssueKey, bearer, deliver_emails
from tests.shop import Caller, make_customer, make_order

pytestmark = pytest.mark.django_db(transaction=True)

PROGRAMS = 50
KEYS = "/stores/267418190/settings/api-keys/"


@pytest.fixture
def send(signed_in: Client) -> Callable[..., Any]:
    """Sends a form in one more window of the browser that the owner is signed in with."""
    session = signed_in.cookies["sessionid"].value

    def send_form(path: str, fields: dict[str, Any]) -> Any:
        window = Client(raise_request_exception=False)
        window.cookies["sessionid"] = session
        return window.post(KEYS + path, fields)

    return send_form


def statuses(answers: list[Any]) -> Counter[int]:
    return Counter(answer.status_code for answer in answers)


def lines(key: ApiKey) -> list[str]:
    """List what was done to a key that may be deleted by now."""
    return [entry.sentence for entry in AuditEntry.objects.filter(prefix=key.prefix)]


def subjects(word: str) -> list[str]:
    """Of the e-mails about something that happened to a key, one for each owner."""
    return [str(message.subject) for message in deliver_emails() if f" was {word}" in message.subject]


def test_of_many_edits_one_is_saved_and_the_others_are_told(
    send: Callable[..., Any], issue: IssueKey
) -> None:
    key, _ = issue(name="Shop")
    form = initial_of(key) | {"access": ["orders:write"]}
    answers = at_once(lambda number: send(f"{key.prefix}/edit/", form | {"name": f"Edit {number}"}))
    assert statuses(answers) == {302: 1, 200: MANY - 1}
    key.refresh_from_db()
    (saved,) = (number for number, answer in enumerate(answers) if answer.status_code == 302)
    assert (key.name, key.version) == (f"Edit {saved}", 2)
    assert len(lines(key)) == 2
    assert len(subjects("given more access")) == 1
    for answer in answers:
        assert answer.status_code == 302 or f"to “{key.name}”" in answer.content.decode()


def test_of_many_new_keys_with_one_name_one_is_made(send: Callable[..., Any]) -> None:
    form = {"expiry": "never", "access": ["orders:read"]}
    names = ["Shared" if number % 2 else f"Own {number}" for number in range(MANY)]
    answers = at_once(lambda number: send("new/", form | {"name": names[number]}))
    assert statuses(answers) == {302: MANY // 2 + 1, 200: MANY // 2 - 1}
    for answer in answers:
        assert answer.status_code == 302 or NAME_TAKEN in answer.content.decode()
    made = ApiKey.objects.all()
    assert sorted(key.name for key in made) == sorted(set(names))
    assert {key.prefix for key in made} == set(made.values_list("prefix", flat=True).distinct())
    assert all(len(lines(key)) == 1 for key in made)
    assert len(subjects("created")) == len(made)


def test_a_key_is_rolled_once(send: Callable[..., Any], key: ApiKey) -> None:
    answers = at_once(lambda number: send(f"{key.prefix}/roll/", {"overlap": "24"}))
    assert statuses(answers) == {302: 1, 200: MANY - 1}
    successor = ApiKey.objects.get(predecessor=key)
    assert ApiKey.objects.count() == 2
    assert (len(lines(key)), len(lines(successor))) == (2, 1)
    assert len(subjects("rolled")) == 1


def test_a_key_is_deleted_once(send: Callable[..., Any], issue: IssueKey) -> None:
    key, _ = issue(name="Shop")
    answers = at_once(lambda number: send(f"{key.prefix}/delete/", {"name": "Shop"}))
    assert statuses(answers) == {302: 1, 404: MANY - 1}
    assert lines(key).count("Deleted.") == 1
    assert len(subjects("deleted")) == 1


def test_a_new_key_is_shown_once(send: Callable[..., Any], signed_in: Client) -> None:
    made = send("new/", {"name": "Shop", "expiry": "never", "access": ["orders:read"]})
    cookies = {"sessionid": signed_in.cookies["sessionid"].value}
    cookies |= {name: cookie.value for name, cookie in made.cookies.items() if name.startswith(COOKIE_PREFIX)}

    def look(number: int) -> Any:
        window = Client(raise_request_exception=False)
        window.cookies.load(cookies)
        return window.get(f"{KEYS}created/")

    assert statuses(at_once(look)) == {200: 1, 302: MANY - 1}


def test_everything_at_once_leaves_a_history_of_all_that_was_done(
    send: Callable[..., Any], issue: IssueKey
) -> None:
    key, plaintext = issue(name="Shop")
    edit = initial_of(key) | {"name": "Edited"}
    actions: list[Callable[[], Any]] = [
        lambda: send(f"{key.prefix}/edit/", edit),
        lambda: send(f"{key.prefix}/roll/", {"overlap": "24"}),
        lambda: send(f"{key.prefix}/deactivate/", {"hours": "1"}),
        lambda: send(f"{key.prefix}/delete/", {"name": "Shop"}),
        lambda: Client(raise_request_exception=False).get("/v1/api-key/", headers=bearer(plaintext)),
    ]
    answers = at_once(lambda number: actions[number % len(actions)]())
    called = answers[4 :: len(actions)]
    changed = [answer for answer in answers if answer not in called]
    assert set(statuses(called)) <= {200, 401}
    assert set(statuses(changed)) <= {200, 302, 404}
    # Whoever edits a key to what it is, or deactivates one that is off already, is sent back, and nothing was
    # done.
    edited, deactivated = (
        [line for line in lines(key) if line.startswith(event)] for event in ("Renamed", "Deactivated")
    )
    assert len(edited) <= statuses(answers[0 :: len(actions)])[302]
    assert len(deactivated) <= statuses(answers[2 :: len(actions)])[302]
    done = [*answers[1 :: len(actions)], *answers[3 :: len(actions)]]
    assert len(lines(key)) == 1 + statuses(done)[302] + len(edited) + len(deactivated)
    assert len(set(lines(key)) & {"Deleted."}) == (not ApiKey.objects.filter(pk=key.pk).exists())


# What programs do.


@pytest.fixture
def api(issue: IssueKey, store: Store) -> Callable[[], Caller]:
    _, plaintext = issue(access=list(SCOPES))
    return lambda: Caller(store, plaintext)


def test_two_fields_of_an_order_do_not_undo_each_other(api: Callable[[], Caller], store: Store) -> None:
    order = make_order(make_customer(store))
    bodies = [{"note": "Ring twice."}, {"tracking_number": "1Z999"}, {"status": "processing"}]
    answers = at_once(lambda number: api().patch(f"/orders/{order.pk}/", bodies[number % 3]))
    assert statuses(answers) == {200: MANY}
    changed = Order.objects.get()
    assert (changed.note, changed.tracking_number, changed.status) == ("Ring twice.", "1Z999", "processing")


def test_many_products_of_one_name_are_all_made(api: Callable[[], Caller]) -> None:
    made = at_once(lambda number: api().post("/products/", {"name": "Mug", "price": 1}))
    assert statuses(made) == {201: MANY}
    assert len({answer.json()["handle"] for answer in made}) == MANY


def test_of_many_coupons_with_one_code_one_is_made(api: Callable[[], Caller]) -> None:
    answers = at_once(lambda number: api().post("/coupons/", {"code": "WELCOME", "kind": "free_shipping"}))
    assert statuses(answers) == {201: 1, 409: MANY - 1}
    assert Coupon.objects.count() == 1


def test_a_leaked_key_is_ended_once_however_many_hand_it_in(
    key: ApiKey, plaintext: str, settings: Any
) -> None:
    settings.RATE_LIMIT_REVOCATIONS = MANY

    def hand_in(number: int) -> Any:
        finder = Client(raise_request_exception=False)
        return finder.post("/v1/api-keys/revoke/", {"keys": [plaintext]}, "application/json")

    assert statuses(at_once(hand_in)) == {202: MANY}
    assert len(lines(key)) == 2
    assert len(subjects("deactivated")) == 1


def test_programs_that_renew_their_keys_at_once_all_end_with_a_key_that_works(issue: IssueKey) -> None:
    """Each asks twice, as if the first answer were lost, and is never said to use a key that was replaced."""
    texts = [issue(renews_days=30)[1] for _ in range(PROGRAMS)]

    def renew(number: int) -> Any:
        program = Client(headers=bearer(texts[number]), raise_request_exception=False)
        lost, answer = (program.generic("POST", "/v1/api-key/roll/") for _ in range(2))
        assert lost.status_code == 201
        return Client(headers=bearer(answer.json()["key"])).get("/v1/api-key/")

    assert statuses(at_once(renew, PROGRAMS)) == {200: PROGRAMS}
    assert not ApiKey.objects.filter(reused_at__isnull=False).exists()
    assert ApiKey.objects.filter(superseded_at=None, is_unconfirmed=False).count() == PROGRAMS


def test_leaks_deactivations_and_suspensions_at_once_wait_for_each_other_one_way(
    issue: IssueKey, store: Store
) -> None:
    keys = [issue()[0] for _ in range(6)]
    backwards = list(reversed(keys))
    actions: list[Callable[[], Any]] = [
        lambda: lifecycle.report_leaked_keys(backwards[:3], by=Actor()),
        lambda: lifecycle.deactivate_keys(backwards, by=Actor()),
        lambda: lifecycle.resume_store(store, by=Actor()),
        lambda: lifecycle.reactivate_keys(keys, by=Actor()),
    ]

    def act(number: int) -> str:
        try:
            actions[number % len(actions)]()
        except OperationalError as error:  # a deadlock
            return str(error)
        return ""

    assert set(at_once(act)) == {""}
