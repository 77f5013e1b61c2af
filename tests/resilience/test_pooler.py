"""Behind a pooler that shares connections by transaction, prepared statements would mix up answers."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from tests import programs
from tests.postgres import own_postgres
from tests.resilience import pooler
from tests.resilience.site import STORE, Site, site

LISTS = ("orders", "products", "customers", "categories", "coupons")
CLIENTS = 6


@pytest.fixture(scope="module")
def behind_pooler(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site that is told to prepare its queries, behind PgBouncer."""
    folder: Path = tmp_path_factory.mktemp("pooled")
    options = {"PREPARE_THRESHOLD": "1", "LOG_LEVEL": "WARNING"}
    with (
        programs.needed(),
        own_postgres() as server,
        pooler.pooled(server) as url,
        site(folder, url, **options) as served,
    ):
        yield served


def test_every_answer_is_the_right_one_and_one_line_of_the_log_says_why(behind_pooler: Site) -> None:
    def read_lists(first: int) -> set[tuple[str, int, str]]:
        seen = set()
        with closing(behind_pooler.connect()) as connection:
            for turn in range(40):
                name = LISTS[(first + turn) % len(LISTS)]
                headers = {"Authorization": f"Bearer {behind_pooler.key}"}
                connection.request("GET", f"{STORE}/{name}/", headers=headers)
                response = connection.getresponse()
                seen.add((name, response.status, response.read().decode()))
        return seen

    with ThreadPoolExecutor(CLIENTS) as clients:
        answers = set().union(*clients.map(read_lists, range(CLIENTS)))
    assert len(answers) == len(LISTS)
    assert {status for _, status, _ in answers} == {200}
    (orders,) = (json.loads(body) for name, _, body in answers if name == "orders")
    assert orders["meta"]["total"] == 20
    assert behind_pooler.output.read_text().count("A connection pooler is in front of PostgreSQL") == 1
