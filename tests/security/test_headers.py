"""Headers: nobody writes one of ours by putting a line end into what they send, nor an e-mail's."""

from typing import Any

import pytest
from django.test import Client

from apikeys.models import ApiKey, LastUse
from tests.conftest import bearer, deliver_emails
from tests.security.conftest import signed_in_as
from tests.security.surface import Shops, pages

LINE_ENDS = ["\r\n", "\n", "\r", "%0d%0a", "%250d%250a", "\u560d\u560a", "\x85", "\u2028", "\x0b", "\0"]
LOOKED_AT = ("X-Request-Id", "User-Agent", "Origin", "Accept", "X-Dialog", "Referer", "If-None-Match")


def unharmed(answer: Any) -> None:
    for name, value in answer.headers.items():
        assert "evil" not in name.lower()
        assert not {"\r", "\n", "\0"} & set(name + value), (name, value)
    assert "evil" not in answer.cookies


@pytest.mark.parametrize("line_end", LINE_ENDS)
def test_no_header_of_a_request_becomes_one_of_the_answer(shops: Shops, line_end: str) -> None:
    injected = f"x{line_end}X-Evil: 1{line_end}Set-Cookie: evil=1"
    client = Client(raise_request_exception=False)
    store = f"stores/{shops.mine.store.pk}"
    for path in (f"/v1/{store}/orders/", "/docs/", f"/{store}/settings/api-keys/"):
        for name in LOOKED_AT:
            answer = client.get(path, headers={name: injected} | bearer(shops.my_plaintext))
            assert answer.status_code < 500, (path, name)
            unharmed(answer)
    assert "X-Evil" not in LastUse.objects.get(key=shops.my_key).client or line_end not in "\r\n"


def test_no_address_becomes_a_header(mighty: Client, shops: Shops) -> None:
    injected = "%0d%0aX-Evil:%201%0d%0aSet-Cookie:%20evil=1"
    for page in sorted(pages(shops), key=lambda page: page.name.endswith("logout")):
        unharmed(mighty.get(f"{page.url}?next=/{injected}&q={injected}&{injected}"))


@pytest.mark.parametrize("line_end", LINE_ENDS)
def test_the_name_of_a_key_stays_in_a_emails_subject(shops: Shops, line_end: str) -> None:
    browser = signed_in_as(shops.my_key.created_by)  # type: ignore[arg-type]  # somebody made it
    name = f"Shop{line_end}Bcc: evil@evil.example"
    deliver_emails().clear()
    browser.post(
        f"/stores/{shops.mine.store.pk}/settings/api-keys/new/",
        {"name": name, "expiry": "never", "access": ["orders:read"]},
    )
    for email in deliver_emails():
        assert email.recipients() == ["owner@example.com"]
        assert "Bcc" not in email.message()
        assert email.content_subtype == "plain"
    made = ApiKey.objects.filter(name__startswith="Shop")
    assert len(deliver_emails()) == made.count()
    assert not any({"\r", "\n", "\0"} & set(key.name) for key in made)
