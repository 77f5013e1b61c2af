"""No input that has brought an API down gets a 500. tests/test_conformance.py makes up others at random."""

import json
from collections.abc import Callable, Iterable
from io import BytesIO
from typing import Any
from urllib.parse import urlencode
from wsgiref.util import setup_testing_defaults

import pytest
from django.core.wsgi import get_wsgi_application

from reflow.server.wsgi_middleware import readable_requests
from stores.models import Store
from stores.resources import SCOPES
from tests.conftest import IssueKey, bearer
from tests.shop import Caller
from tests.specimens import VIEWS, make_specimens

# Requests that go the whole way that a server goes.
pytestmark = pytest.mark.usefixtures("kept_connection")

MEGABYTE = 1024 * 1024

WRITABLE = {str(view.resource): set(view.serializer_class.Meta.fields) for view in VIEWS}
# What has brought other APIs down, and what is nearly right.
ODDITIES: list[Any] = [
    *(-1, 2**31, 2**64, 10**400, 1.5, 1e308, True, None),
    *("", "\0", "\ud800", "\u202e", "9" * 5000, "NaN", "٣"),
    *("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-02-30", "0000-00-00", "24:00"),
    *([], {}, [[]], [{}], [None], {"": None}, {"items": [{}]}, {"items": [{"id": 2**64}]}, {"items": {}}),
    *({"items": [{"name": [], "price": {}}]}, {"address": {"city": []}}, [{"sm": "//", "md": 1, "lg": []}]),
]


@pytest.fixture
def api(store: Store, issue: IssueKey, settings: Any) -> Caller:
    """May do everything, as often as it likes."""
    settings.RATE_LIMIT_PER_KEY = 10**9
    _, plaintext = issue(access=list(SCOPES))
    return Caller(store, plaintext)


@pytest.fixture
def rows(store: Store) -> dict[Any, list[int]]:
    """The ids of rows of each resource."""
    return make_specimens(store).ids


def survives(response: Any, *statuses: int) -> None:
    assert response.status_code in statuses, (response.status_code, response.content)
    if response.status_code >= 400:
        assert response.json().keys() >= {"error", "code", "request_id"}


CREATED: dict[str, dict[str, Any]] = {
    "products": {"name": "Mug", "price": 1},
    "categories": {"name": "K"},
    "coupons": {"code": "C"},
}


def attempt(send: Callable[[str, Any], Any], path: str, oddity: Any, fields: set[str]) -> None:
    """Send an oddity in all fields, then in those that took it, until it is stored in each that takes it."""
    resource = path.strip("/").partition("/")[0]
    while fields:
        response = send(path, CREATED.get(resource, {}) | dict.fromkeys(sorted(fields), oddity))
        survives(response, 200, 201, 400, 409)
        refused = {name.partition(".")[0] for name in response.json().get("fields", {})}
        if not refused & fields:
            return
        fields = fields - refused


@pytest.mark.parametrize("resource", WRITABLE)
def test_every_field_takes_or_refuses_whatever_comes(
    api: Caller, rows: dict[Any, list[int]], resource: str
) -> None:
    for oddity in ODDITIES:
        if resource in CREATED:
            attempt(api.post, f"/{resource}", oddity, WRITABLE[resource])
        attempt(api.patch, f"/{resource}/{rows[resource][1]}", oddity, WRITABLE[resource])
    survives(api.get(f"/{resource}"), 200)


@pytest.mark.parametrize("number", ["1e999", "-1e999", "1e-999", "1" * 5000, "0x10", "01", "+1"])
def test_a_number_that_no_column_holds_is_refused(
    api: Caller, rows: dict[Any, list[int]], number: str
) -> None:
    url = f"{api.base}/products/{rows['products'][0]}"
    for field in ("price", "position", "media"):
        body = f'{{"{field}": {number}}}'
        is_zero = number == "1e-999" and field != "media"
        survives(api.client.patch(url, body, content_type="application/json"), 200 if is_zero else 400)


@pytest.mark.parametrize(("levels", "code"), [(20, "invalid"), (21, "parse_error")])
def test_twenty_levels_are_read(api: Caller, levels: int, code: str) -> None:
    body: Any = "at the bottom"
    for _ in range(levels - 1):
        body = [body]
    response = api.post("/products/", {"name": body, "price": 1})
    assert (response.status_code, response.json()["code"]) == (400, code)


def test_every_query_string_is_understood_or_refused(api: Caller) -> None:
    for query in (
        "page=%ff&search=%c3%28&order=%00",
        "search=%ed%a0%80",
        "&&==&page=1;perpage=2",
        "\xff\0=\x80",
        "%",
    ):
        survives(api.client.get(f"{api.base}/orders", QUERY_STRING=query), 200, 400)


# Headers that Django reads before it can answer errors: these go the whole way that a server goes.


def served(environ: dict[str, Any], body: bytes = b"") -> tuple[int, bytes]:
    """Return the status and the body that the application answers a server."""
    answered: list[str] = []

    def start_response(status: str, headers: Any, exc_info: Any = None) -> Callable[..., Any]:
        answered.append(status)
        return answered.append

    setup_testing_defaults(environ)
    length = str(len(body))
    whole = environ | {"HTTP_HOST": "localhost", "CONTENT_LENGTH": length, "wsgi.input": BytesIO(body)}
    # Not reflow.wsgi, which gives timeouts to every connection from then on.
    application = readable_requests(get_wsgi_application())
    chunks: Iterable[bytes] = application(whole, start_response)
    return int(answered[0].split()[0]), b"".join(chunks)


def test_an_address_with_two_slashes_at_its_start_answers_alike(store: Store) -> None:
    path = f"/v1/stores/{store.pk}/products"
    answers = [served({"REQUEST_METHOD": "GET", "PATH_INFO": start + path}) for start in ("", "/")]
    assert answers[0] == answers[1]
    assert answers[0][0] == 200


CHARSETS = ("hex", "zlib", "undefined", "idna", "utf-16", "punycode", "unicode_escape", "nonsense")


def test_no_content_type_is_a_server_error(store: Store, issue: IssueKey) -> None:
    environ = {
        "PATH_INFO": f"/v1/stores/{store.pk}/products",
        "QUERY_STRING": urlencode({"search": "é", "perpage": 7}),
        "HTTP_AUTHORIZATION": bearer(issue(access=list(SCOPES))[1])["Authorization"],
    }
    for content_type in (
        *(f"application/json; charset={charset}" for charset in CHARSETS),
        "application/json; x*=nonsense'en'%41",
        "application/json; x*=''",
        "; charset=hex",
        "\xff; charset=\xff",
    ):
        environ["CONTENT_TYPE"] = content_type
        status, body = served(environ | {"REQUEST_METHOD": "GET"})
        assert status in {200, 400, 409}, content_type
        if status == 200:
            assert json.loads(body)["meta"]["per_page"] == 7
        status, _ = served(environ | {"REQUEST_METHOD": "POST"}, b'{"name": "Mug", "price": 1}')
        assert status in {201, 400, 415}, content_type


def test_no_charset_of_a_form_is_a_server_error(db: None) -> None:
    form = b'--x\r\nContent-Disposition: form-data; name="csrfmiddlewaretoken"\r\n\r\n\xff\r\n--x--\r\n'
    for charset in (*CHARSETS, "rot13", "bz2"):
        environ = {
            "REQUEST_METHOD": "POST",
            "PATH_INFO": "/accounts/login/",
            "CONTENT_TYPE": f"multipart/form-data; boundary=x; charset={charset}",
            "HTTP_COOKIE": f"csrftoken={'a' * 32}",
        }
        assert served(environ, form)[0] in {200, 400, 403}, charset


HEADERS = (
    "CONTENT_TYPE",
    "HTTP_ACCEPT",
    "HTTP_X_REQUEST_ID",
    "HTTP_USER_AGENT",
    "HTTP_ORIGIN",
    "HTTP_COOKIE",
)


@pytest.mark.parametrize("name", HEADERS)
def test_no_header_is_a_server_error(store: Store, name: str) -> None:
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": f"/v1/stores/{store.pk}/products"}
    for value in ("", "\0", "\xff\xfe", "a/b; q=x", "*/*; x*=nonsense'en'%41", "a/b;;=", '"\\', "=;="):
        assert served(environ | {name: value})[0] in {200, 400, 406}, value
