"""Headers: nobody writes one of ours by putting a line end into what they send, nor an e-mail's."""

from itertools import product
from typing import Any

from django.test import Client

from tests.conftest import bearer
from tests.security.surface import Shops, pages

LINE_ENDS = ["\r\n", "\n", "\r", "%0d%0a", "%250d%250a", "\u560d\u560a", "\x85", "\u2028", "\x0b", "\0"]
LOOKED_AT = ("X-Request-Id", "User-Agent", "Origin", "X-Dialog", "Referer", "If-None-Match")


def unharmed(answer: Any) -> None:
    for name, value in answer.headers.items():
        assert "evil" not in name.lower()
        assert not {"\r", "\n", "\0"} & set(name + value), (name, value)
    assert "evil" not in answer.cookies


def test_no_header_of_a_request_becomes_one_of_the_answer(shops: Shops) -> None:
    client = Client(raise_request_exception=False)
    store = f"stores/{shops.mine.store.pk}"
    orders = f"/v1/{store}/orders/"
    asked = [
        (orders, LOOKED_AT, 200),
        (orders, ("Accept",), 406),
        ("/docs/", (*LOOKED_AT, "Accept"), 200),
        (f"/{store}/settings/api-keys/", (*LOOKED_AT, "Accept"), 302),
    ]
    for (path, names, status_code), line_end in product(asked, LINE_ENDS):
        injected = f"x{line_end}X-Evil: 1{line_end}Set-Cookie: evil=1"
        answer = client.get(path, headers=dict.fromkeys(names, injected) | bearer(shops.my_plaintext))
        assert answer.status_code == status_code, (path, line_end, names)
        unharmed(answer)


def test_no_address_becomes_a_header(mighty: Client, shops: Shops) -> None:
    injected = "%0d%0aX-Evil:%201%0d%0aSet-Cookie:%20evil=1"
    for page in pages(shops):
        unharmed(mighty.get(f"{page.url}?next=/{injected}&q={injected}&{injected}"))
