import threading

import pytest
from django.db import connection
from django.test import Client

pytestmark = pytest.mark.django_db


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite is no server that could hang")
def test_one_thread_watches_the_requests_of_all_instances_of_the_middleware() -> None:
    for _ in range(3):
        assert Client().get("/docs/").status_code == 200
    assert [thread.name for thread in threading.enumerate()].count("deadlines") == 1
