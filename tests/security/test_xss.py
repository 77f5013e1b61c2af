"""Scripts in what is stored: every field of a shop and its keys holds one, and pages show them as text."""

from datetime import timedelta
from html.parser import HTMLParser
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from apikeys import lifecycle
from apikeys.actors import Actor
from apikeys.models import LoggedRequest, Trust
from apikeys.models.suspension import Suspension
from apikeys.models.trust import GITHUB
from stores.models import Store
from tests.conftest import IssueKey
from tests.key_requests import make_request, write_usage
from tests.security.surface import Shops, pages
from tests.shop import make_category, make_coupon, make_customer, make_line, make_order, make_product
from tests.specimens import Specimens

# An element wherever it is taken for markup: in text, in an attribute, in a title, a script or a comment.
MARKUP = "'\"></title></textarea></script>--><xss-></xss-><img src=x onerror=alert(1)>"
SHORT = "'\"><xss-><svg onload=alert(1)>"
LINK = "javascript:alert(1)//"


@pytest.fixture
def marked(store: Store, owner: User, issue: IssueKey) -> Shops:
    """A shop whose every text is an attack, and a key that has been renamed, rolled and used."""
    owner.first_name = owner.last_name = MARKUP
    owner.is_staff = owner.is_superuser = True
    owner.save()
    store.name = MARKUP
    store.save()
    kitchen = make_category(store, MARKUP, handle="k", description=MARKUP)
    mug = make_product(
        store,
        MARKUP,
        handle="m",
        excerpt=MARKUP,
        description=MARKUP,
        promo_badge=SHORT,
        sku=SHORT,
        option_name=SHORT,
        media=[dict.fromkeys(("sm", "md", "lg"), LINK)],
    )
    mug.categories.set([kitchen], through_defaults={"store": store})
    mug.variants.create(name=MARKUP, sku=SHORT, price=1)
    place: dict[str, Any] = {"address": MARKUP, "city": MARKUP, "postcode": "'\"><xss->", "state": MARKUP}
    buyer = make_customer(store, MARKUP, email='"<svg/onload=alert(1)>"@example.com', phone=SHORT, **place)
    order = make_order(buyer, recipient=MARKUP, tracking_number=MARKUP, note=MARKUP, **place)
    make_line(order, product=mug, name=MARKUP, sku=SHORT)
    make_coupon(store, SHORT)
    suspended = Store.objects.create(name=MARKUP)
    Suspension.objects.create(store=suspended, reason=MARKUP)
    suspended.owners.add(owner)

    key, _ = issue(name=f"Old {SHORT}")
    lifecycle.update_key(
        key, by=Actor(owner), version=1, name=MARKUP[:100], access=key.access, expires_at=None
    )
    lifecycle.roll_key(key, by=Actor(owner), overlap=timedelta(days=7))
    texts = {"method": "<xss->", "path": MARKUP, "route": SHORT, "client": MARKUP}
    write_usage(make_request(key, at=timezone.now(), status_code=429, reason="rate_limited", **texts))
    LoggedRequest.objects.update(id=1)
    claims = {"repository": MARKUP}
    Trust.objects.create(
        pk=1, store=store, name=MARKUP[:100], issuer=GITHUB, claims=claims, access=key.access
    )
    shop = Specimens(store, {})
    return Shops(shop, shop, my_key=key, their_key=key, my_plaintext="", their_plaintext="")


class Markup(HTMLParser):
    """The elements of a page that came from what is stored, as a browser would make them."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        leads_to_script = any(attributes.get(name, "").startswith("javascript:") for name in ("href", "src"))
        if tag == "xss-" or attributes.keys() & {"onerror", "onload"} or leads_to_script:
            self.found.append(str(self.get_starttag_text()))


def test_no_page_takes_what_is_stored_for_markup(signed_in: Client, marked: Shops) -> None:
    showing = 0
    for page in pages(marked):
        for query in ("", "?q=%22%3E%3Cxss-%3E&sort=%3Cxss-%3E&status='%22%3E%3Cxss-%3E"):
            answer = signed_in.get(page.url + query)
            markup, text = Markup(), answer.getvalue().decode(errors="replace")
            markup.feed(text if answer["Content-Type"].startswith("text/html") else "")
            assert markup.found == [], page
            showing += "xss-&gt;" in text
    assert showing > 60
