"""No input, however broken, gets a 500: pages. The API has tests/reflow/api/test_bad_input.py."""

from pathlib import Path
from typing import Any

from django.test import Client

from tests.security.conftest import Walk
from tests.security.surface import LEAVING, Shops, forms_on, pages

LOGIN = "/accounts/login/"
COOKIES = ("sessionid", "csrftoken", "messages", "created_api_key")
BROKEN = [
    '"aaaaaaaa\\000"',  # in quotes, a cookie can hold what no header can
    '"aaaaaaaa\\377\\376"',
    "a" * 4000,
    "\xff\xfe" * 20,
    "{}",
    "=;=;",
    ":::",
    "../../../etc/passwd",
    '"\\',
    "\u00e9" * 32,
]


def test_no_cookie_is_a_server_error(shops: Shops) -> None:
    list_of_keys = f"/stores/{shops.mine.store.pk}/settings/api-keys/"
    for value in BROKEN:
        browser = Client(raise_request_exception=False)
        sent: dict[str, Any] = {"HTTP_COOKIE": "; ".join(f"{name}={value}" for name in COOKIES)}
        for path in ("/", LOGIN, list_of_keys, f"{list_of_keys}created/", "/docs/api-keys/", "/admin/"):
            assert browser.get(path, **sent).status_code in {200, 302}, (path, value)


BODIES: dict[str, tuple[bytes, str]] = {
    "fields without end": (b"a=1&" * 1001, "application/x-www-form-urlencoded"),
    "a field without end": (b"login=" + b"x" * 1024 * 1024, "application/x-www-form-urlencoded"),
    "bytes of no text": (b"login=%ff%fe&password=%c3%28%00", "application/x-www-form-urlencoded"),
    "a lone surrogate": (b"login=%ed%a0%80&next=%ed%a0%80", "application/x-www-form-urlencoded"),
    "no boundary": (b"--x\r\n", "multipart/form-data"),
    "a boundary that never comes": (b"x" * 100_000, "multipart/form-data; boundary=x"),
    "a boundary of bytes": (b"--\xff\r\n", "multipart/form-data; boundary=\xff"),
    "a part without an end": (
        b'--x\r\nContent-Disposition: form-data; name="login"',
        "multipart/form-data; boundary=x",
    ),
    "a part that is not base64": (
        b'--x\r\nContent-Disposition: form-data; name="login"\r\nContent-Transfer-Encoding: base64\r\n'
        b"\r\n%%%\r\n--x--",
        "multipart/form-data; boundary=x",
    ),
    "a part with a long head": (
        b"--x\r\nContent-Disposition: form-data; name=" + b"x" * 100_000 + b"\r\n\r\n1\r\n--x--",
        "multipart/form-data; boundary=x",
    ),
    "json": (b'{"login": []}', "application/json"),
    "nothing": (b"", ""),
    "a type of its own": (b"\0", "\xff/\xff; charset=\xff"),
}


def test_no_body_is_a_server_error(mighty: Client, shops: Shops) -> None:
    base = f"/stores/{shops.mine.store.pk}/settings/api-keys"
    visitor = Client(raise_request_exception=False)
    for browser, path in (
        *((visitor, LOGIN), (visitor, f"{base}/new/")),
        *((mighty, f"{base}/new/"), (mighty, f"{base}/find/")),
    ):
        for name, (content, content_type) in BODIES.items():
            answer = browser.generic("POST", path, content, content_type)
            assert answer.status_code in {200, 302, 400, 404, 413}, (path, name, answer.status_code)


def test_a_file_is_refused_before_it_takes_any_room(
    client: Client, shops: Shops, tmp_path: Path, settings: Any
) -> None:
    settings.FILE_UPLOAD_TEMP_DIR = str(tmp_path)
    part = b'--x\r\nContent-Disposition: form-data; name="login"; filename="a"\r\n\r\n'
    whole = part + b"x" * 4 * 1024 * 1024 + b"\r\n--x--\r\n"
    for path in (LOGIN, f"/stores/{shops.mine.store.pk}/settings/api-keys/new/"):
        answer = client.generic("POST", path, whole, "multipart/form-data; boundary=x")
        assert answer.status_code == 400
    assert list(tmp_path.iterdir()) == []


def test_no_form_is_broken_by_what_is_filled_in(mighty: Client, shops: Shops, walk: Walk) -> None:
    """Every field of every form on every page, the admin's included."""
    broken = []
    for page in pages(shops):
        fields = {name for form in forms_on(walk.answers[page]) if form.is_post for name in form.fields}
        kept = {name for name in fields if name.endswith(("_FORMS", "csrfmiddlewaretoken"))}
        for oddity in ("\0", "9" * 5000) if page.name not in LEAVING else ():
            answer = mighty.post(page.url, dict.fromkeys(fields - kept | {"q", "name"}, oddity))
            if answer.status_code >= 500:
                broken.append((page.name, oddity))
    assert broken == []
