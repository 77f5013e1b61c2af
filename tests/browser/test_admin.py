"""The operators' pages in a real browser, under the same strict policy as all others."""

from django.conf import settings
from django.test import Client

from apikeys.models import ApiKey
from stores.models import Store
from tests.browser.conftest import PHONE, NewContext, scrolls_sideways, use
from tests.conftest import admin_page


def test_every_page_keeps_to_the_policy_and_to_the_width_of_a_telephone(
    new_context: NewContext, operator: Client, base_url: str, key: ApiKey, store: Store
) -> None:
    use(key, "orders:read", requests=40)
    context = new_context(viewport=PHONE)
    session = operator.cookies[settings.SESSION_COOKIE_NAME].value
    context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": base_url}])
    page = context.new_page()
    for address in (
        "/admin/",
        "/admin/apikeys/apikey/leak/",
        admin_page(ApiKey, "changelist"),
        admin_page(Store, "changelist"),
        admin_page(Store, "change", store.pk),
        f"/admin/apikeys/suspension/add/?store={store.pk}",
        admin_page(ApiKey, "change", key.pk),
    ):
        page.goto(address)
        assert not scrolls_sideways(page), address
    bars = page.locator("svg .succeeded")
    assert bars.count() == 1
    assert bars.evaluate("bar => getComputedStyle(bar).fill") != "rgb(0, 0, 0)"
