"""Behind a pooler that shares connections by transaction, prepared statements would mix up answers."""

import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

from tests import programs
from tests.postgres import Postgres
from tests.resilience import pooler
from tests.resilience.site import STORE, site

LISTS = ("orders", "products", "customers", "categories", "coupons")
CLIENTS = 6


def test_every_answer_is_the_right_one_and_one_line_of_the_log_says_why(
    database: Postgres, tmp_path: Path
) -> None:
    def read_lists(first: int) -> set[tuple[str, int, str]]:
        seen = set()
        with closing(served.connect()) as connection:
            for turn in range(40):
                name = LISTS[(first + turn) % len(LISTS)]
                headers = {"Authorization": f"Bearer {served.key}"}
                connection.request("GET", f"{STORE}/{name}/", headers=headers)
                response = connection.getresponse()
                seen.add((name, response.status, response.read().decode()))
        return seen

    options = {"PREPARE_THRESHOLD": "1", "LOG_LEVEL": "WARNING"}
    with (
        programs.needed(),
        pooler.pgbouncer(database) as bouncer,
        site(tmp_path, bouncer.url, **options) as served,
        ThreadPoolExecutor(CLIENTS) as clients,
    ):
        answers = set().union(*clients.map(read_lists, range(CLIENTS)))
    assert len(answers) == len(LISTS)
    assert {status for _, status, _ in answers} == {200}
    (orders,) = (json.loads(body) for name, _, body in answers if name == "orders")
    assert orders["meta"]["total"] == 20
    assert served.printed.count("A connection pooler is in front of PostgreSQL") == 1
