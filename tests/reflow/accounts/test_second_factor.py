"""Authenticator apps and recovery codes: what they ask, what they are worth, and how they are kept."""

import json
import re
import time
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.contrib.auth.models import User
from django.contrib.auth.tokens import default_token_generator
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone
from django.utils.http import int_to_base36

from apikeys.models import ApiKey
from reflow import settings as production
from tests.conftest import PASSWORD, admin_page, is_signed_in, make_owner

LOGIN = "/accounts/login/"
SECOND_STEP = "/accounts/login/code/"
SET_UP = "/accounts/authenticator/set-up/"
KEYS = "/stores/267418190/settings/api-keys/"
WRONG = "000 000"


@pytest.fixture(autouse=True)
def _counted_as_in_production(settings: Any, db: None) -> None:
    settings.CACHES = production.CACHES


def code_of(secret: str) -> str:
    """The code that an authenticator app shows now."""
    return str(format_hotp_value(hotp_value(secret, int(time.time()) // 30)))


@pytest.fixture
def secret(signed_in: Client) -> str:
    """The secret that the owner's app keeps since it was set up."""
    secret: str = signed_in.get(SET_UP).context["form"].secret
    with time_machine.travel(timezone.now(), tick=False):
        assert signed_in.post(SET_UP, {"code": code_of(secret)}).status_code == 302
    return secret


@pytest.fixture
def recovery_codes(signed_in: Client, secret: str) -> list[str]:
    codes = signed_in.get("/accounts/recovery-codes/download/").content.decode().split()
    assert len(codes) == 10
    return codes


def half_signed_in() -> Client:
    """A browser in which the owner's password was right."""
    browser = Client()
    response = browser.post(LOGIN, {"login": "owner@example.com", "password": PASSWORD})
    assert response["Location"] == SECOND_STEP
    return browser


def test_a_password_alone_opens_nothing_any_more(secret: str) -> None:
    browser = half_signed_in()
    assert not is_signed_in(browser)
    assert browser.get(KEYS).status_code == 302
    assert browser.post(SECOND_STEP, {"code": WRONG}).status_code == 200
    assert not is_signed_in(browser)


@pytest.mark.parametrize("seconds", [-30, 0, 30])
def test_a_code_opens_it_once_within_a_step_of_its_time(secret: str, seconds: int) -> None:
    shown = timezone.now().replace(second=5) + timedelta(minutes=10)
    with time_machine.travel(shown, tick=False):
        code = code_of(secret)
    with time_machine.travel(shown + timedelta(seconds=seconds), tick=False):
        first = half_signed_in()
        assert first.post(SECOND_STEP, {"code": code}).status_code == 302
        assert is_signed_in(first)
    for later in range(seconds, 31, 15):
        with time_machine.travel(shown + timedelta(seconds=later), tick=False):
            second = half_signed_in()
            again = second.post(SECOND_STEP, {"code": f"{code[:3]} {code[3:]}"})
            assert "has been used already" in again.content.decode()
            assert not is_signed_in(second)


def test_a_recovery_code_opens_it_once(recovery_codes: list[str]) -> None:
    first, second = half_signed_in(), half_signed_in()
    first.post(SECOND_STEP, {"code": recovery_codes[3]})
    assert is_signed_in(first)
    second.post(SECOND_STEP, {"code": recovery_codes[3]})
    assert not is_signed_in(second)
    assert "9 of 10 are left" in first.get("/accounts/").content.decode()


def test_guessing_at_codes_locks_them(secret: str) -> None:
    with time_machine.travel(timezone.now(), tick=False):
        for _ in range(5):
            half_signed_in().post(SECOND_STEP, {"code": WRONG})
        late = half_signed_in()
        answer = late.post(SECOND_STEP, {"code": code_of(secret)})
        assert "Too many failed login attempts" in answer.content.decode()
        assert not is_signed_in(late)


def test_guessing_at_codes_of_a_sign_in_keeps_nobody_from_confirming(signed_in: Client, secret: str) -> None:
    with time_machine.travel(timezone.now() + timedelta(hours=2), tick=False):
        for _ in range(6):
            half_signed_in().post(SECOND_STEP, {"code": WRONG})
        confirmed = signed_in.post("/accounts/reauthenticate/code/", {"code": code_of(secret)})
        assert confirmed.status_code == 302


def test_whoever_forgot_the_password_still_needs_the_second_factor(
    client: Client, owner: User, secret: str
) -> None:
    owner.refresh_from_db()
    key = f"{int_to_base36(owner.pk)}-{default_token_generator.make_token(owner)}"
    form = client.get(f"/accounts/password/reset/key/{key}/")
    fields = {"password1": "another one that nobody guesses", "password2": "another one that nobody guesses"}
    assert client.post(form["Location"], fields)["Location"] == SECOND_STEP
    assert not is_signed_in(client)


def test_a_code_proves_who_changes_a_key(signed_in: Client, secret: str) -> None:
    typed = {"name": "Accounting", "expiry": "never", "access": ["orders:read"]}
    with time_machine.travel(timezone.now() + timedelta(hours=2), tick=False):
        asked = signed_in.post(f"{KEYS}new/", typed)
        assert asked["Location"].startswith("/accounts/reauthenticate/")
        page = signed_in.get(asked["Location"]).content.decode()
        assert f"/accounts/reauthenticate/code/?next={KEYS.replace('/', '%2F')}new%2F" in page
        by_code = asked["Location"].replace("reauthenticate/", "reauthenticate/code/")
        signed_in.post(by_code, {"code": WRONG})
        assert signed_in.post(f"{KEYS}new/", typed)["Location"] == asked["Location"]
        assert signed_in.post(by_code, {"code": code_of(secret)})["Location"] == f"{KEYS}new/"
        assert signed_in.post(f"{KEYS}new/", typed)["Location"] == f"{KEYS}created/"
    assert ApiKey.objects.count() == 1


def test_changing_how_one_signs_in_takes_a_proof_within_the_hour(signed_in: Client, secret: str) -> None:
    recovery = ("recovery-codes/", "recovery-codes/new/", "recovery-codes/download/")
    for place in (*recovery, "passkeys/add/", "authenticator/turn-off/", "authenticator/set-up/"):
        if place == "authenticator/set-up/":
            Authenticator.objects.filter(type="totp").delete()
        assert signed_in.get(f"/accounts/{place}").status_code == 200, place
        before = kept()
        with time_machine.travel(timezone.now() + timedelta(minutes=61)):
            asked = signed_in.get(f"/accounts/{place}")
            assert asked["Location"].startswith("/accounts/reauthenticate/"), place
            assert signed_in.post(f"/accounts/{place}", {"code": WRONG}).status_code in {302, 405}, place
        assert kept() == before, place


def test_nobody_renames_or_removes_the_passkey_of_another(signed_in: Client) -> None:
    data = {"name": "Theirs", "credential": {}}
    theirs = Authenticator.objects.create(user=make_owner("other@example.com"), type="webauthn", data=data)
    for action in ("rename", "remove"):
        address = f"/accounts/passkeys/{theirs.pk}/{action}/"
        assert signed_in.get(address).status_code == 404
        assert signed_in.post(address, {"name": "Mine"}).status_code == 404
    assert Authenticator.objects.get().data == data


GARBAGE = json.dumps(
    {
        "id": "eA",
        "rawId": "eA",
        "type": "public-key",
        "response": {"clientDataJSON": "e30"}
        | dict.fromkeys(("authenticatorData", "signature", "attestationObject", "userHandle"), "eA"),
    }
)


def test_a_new_passkey_is_asked_for_its_name_only(signed_in: Client) -> None:
    page = signed_in.get("/accounts/passkeys/add/").content.decode()
    assert re.findall('<input type="(?!hidden)[^>]* name="([^"]+)"', page) == ["name"]


@pytest.mark.parametrize("path", ["login/passkey/", "passkeys/add/", "reauthenticate/passkey/"])
def test_no_passkey_however_broken_fails(signed_in: Client, secret: str, path: str) -> None:
    browser = Client() if path.startswith("login") else signed_in
    browser.get(f"/accounts/{path}", headers={"Accept": "application/json"})
    for credential in ("", "{", "null", "[]", '{"id": "x", "response": {}}', '"x"', GARBAGE):
        assert browser.post(f"/accounts/{path}", {"credential": credential}).status_code in {200, 302}
    assert Authenticator.objects.filter(type="webauthn").count() == 0


# How they are kept.


def kept() -> str:
    return json.dumps(list(Authenticator.objects.values_list("data", flat=True)))


def test_the_database_holds_no_secret_in_the_clear(secret: str, recovery_codes: list[str]) -> None:
    for text in (secret, *recovery_codes):
        assert text not in kept()


def test_secrets_outlive_a_new_secret_key(settings: Any, secret: str) -> None:
    former = settings.SECRET_KEY
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "a new one " * 5, [former]
    before = kept()
    call_command("rotate_secrets", stdout=StringIO())
    assert kept() != before
    settings.SECRET_KEY_FALLBACKS = []
    with time_machine.travel(timezone.now(), tick=False):
        browser = half_signed_in()
        browser.post(SECOND_STEP, {"code": code_of(secret)})
        assert is_signed_in(browser)


def test_a_secret_key_that_is_lost_locks_out_and_says_so(
    settings: Any, secret: str, caplog: pytest.LogCaptureFixture
) -> None:
    settings.SECRET_KEY = "a new one " * 5
    browser = half_signed_in()
    assert browser.post(SECOND_STEP, {"code": code_of(secret)}).status_code == 200
    assert not is_signed_in(browser)
    assert "SECRET_KEY_FALLBACKS lacks its key" in caplog.text
    with pytest.raises(CommandError, match="2 cannot be read"):
        call_command("rotate_secrets")


def test_operators_see_that_there_is_one_and_not_its_secret(operator: Client, secret: str) -> None:
    factor = Authenticator.objects.get(type="totp")
    assert "owner@example.com" in operator.get(admin_page(Authenticator, "changelist")).content.decode()
    page = operator.get(admin_page(Authenticator, "change", factor.pk)).content.decode()
    assert factor.data["secret"] not in page
    assert operator.get(admin_page(Authenticator, "add")).status_code == 403
    assert operator.post(admin_page(Authenticator, "change", factor.pk), {"type": "x"}).status_code == 403
