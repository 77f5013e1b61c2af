"""Headers: nobody writes one of ours by putting a line end into what they send, nor an e-mail's."""

from itertools import product
from typing import Any

from django.test import Client

from apikeys.models import ApiKey, LastUse
from tests.conftest import bearer, deliver_emails
from tests.security.conftest import Walk, signed_in_as
from tests.security.surface import Shops

LINE_ENDS = ["\r\n", "\n", "\r", "%0d%0a", "%250d%250a", "\u560d\u560a", "\x85", "\u2028", "\x0b", "\0"]
LOOKED_AT = ("X-Request-Id", "User-Agent", "Origin", "Accept", "X-Dialog", "Referer", "If-None-Match")


def unharmed(answer: Any) -> None:
    for name, value in answer.headers.items():
        assert "evil" not in name.lower()
        assert not {"\r", "\n", "\0"} & set(name + value), (name, value)
    assert "evil" not in answer.cookies


def test_no_header_of_a_request_becomes_one_of_the_answer(shops: Shops) -> None:
    client = Client(raise_request_exception=False)
    store = f"stores/{shops.mine.store.pk}"
    for path, line_end in product(
        (f"/v1/{store}/orders/", "/docs/", f"/{store}/settings/api-keys/"), LINE_ENDS
    ):
        injected = f"x{line_end}X-Evil: 1{line_end}Set-Cookie: evil=1"
        headers = dict.fromkeys(LOOKED_AT, injected) | bearer(shops.my_plaintext)
        answer = client.get(path, headers=headers)
        assert answer.status_code < 500, (path, line_end)
        unharmed(answer)
        assert "X-Evil" not in LastUse.objects.get(key=shops.my_key).client or line_end not in "\r\n"


def test_no_address_becomes_a_header(walk: Walk) -> None:
    for answer in walk.answers.values():
        unharmed(answer)


def test_the_name_of_a_key_stays_in_the_subject_of_an_email(shops: Shops) -> None:
    browser = signed_in_as(shops.my_key.created_by)  # type: ignore[arg-type]  # somebody made it
    deliver_emails().clear()
    for number, line_end in enumerate(LINE_ENDS):
        browser.post(
            f"/stores/{shops.mine.store.pk}/settings/api-keys/new/",
            {
                "name": f"Shop{number}{line_end}Bcc: evil@evil.example",
                "expiry": "never",
                "access": "orders:read",
            },
        )
    sent, made = deliver_emails(), ApiKey.objects.filter(name__startswith="Shop")
    assert len(sent) == made.count() > 0
    for email in sent:
        assert email.recipients() == ["owner@example.com"]
        assert "Bcc" not in email.message()
        assert email.content_subtype == "plain"
    assert not any({"\r", "\n", "\0"} & set(key.name) for key in made)
