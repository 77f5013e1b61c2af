"""How long changes of keys take with a silent mail server: ``python -m tests.resilience.mail_times``."""

import json
import statistics
import tempfile
import time
from contextlib import closing
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import Request

from tests.resilience.mail import mail_server, new_mail_server, worker
from tests.resilience.servers import own_postgres
from tests.resilience.site import PAGES, Site, site
from tests.server import Served, Visitor, answer_to

KEYS = 40


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        print_row("SQLite", f"sqlite:///{folder}/silent.sqlite3", f"sqlite:///{folder}/without.sqlite3")
    with own_postgres() as one, own_postgres() as other:
        print_row("PostgreSQL", one.url, other.url)


def print_row(database: str, silent_url: str, without_url: str) -> None:
    mail = new_mail_server()
    mail.is_silent.set()
    with tempfile.TemporaryDirectory() as folder, mail_server(mail):
        with site(Path(folder), without_url, EMAIL_URL="dummymail://") as without:
            usual = seconds_of(without)
        with (
            site(Path(folder), silent_url, EMAIL_URL=f"smtp://127.0.0.1:{mail.port}") as silent,
            worker(mail, silent_url),
        ):
            found = seconds_of(silent)
    for what, before, now in zip(("create a key", "report two keys"), usual, found, strict=True):
        print(f"{database}, {what}: {before * 1000:.1f} ms, {now * 1000:.1f} ms, ratio {now / before:.2f}")


def seconds_of(site: Site) -> tuple[float, float]:
    """The median of creating a key on the page, and the time of reporting two leaked ones."""
    owner = Visitor(Served(site.url, "", site.output, site.process))
    owner.sign_in("owner@example.com")
    form = owner.hidden_fields(f"{PAGES}new/") | {"expiry": "never", "access": "orders:read"}
    created = []
    for number in range(KEYS):
        data = urlencode(form | {"name": f"Key {number}"}).encode()
        began = time.perf_counter()
        answer = answer_to(Request(f"{site.url}{PAGES}new/", data), owner.cookies)
        created.append(time.perf_counter() - began)
        assert answer.status == 302
    with closing(site.connect()) as connection:
        body = json.dumps({"keys": [site.key, site.brief_key]})
        began = time.perf_counter()
        connection.request("POST", "/v1/api-keys/revoke/", body, {"Content-Type": "application/json"})
        assert connection.getresponse().status == 202
        return statistics.median(created), time.perf_counter() - began


if __name__ == "__main__":
    main()
