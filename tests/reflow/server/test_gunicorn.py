"""The production server, in processes of its own: what operators see of it, and how it stops."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from apikeys import key_text
from reflow.server import gunicorn as configuration
from tests.programs import children_of, wait_until
from tests.server import PATIENCE, Served, free_port, gunicorn

TOKEN = "a3f1c2d4e5b6978877665544332211ff"
_, KEY = key_text.generate()
SECRET = KEY.split(".")[1]
DATABASE_PORT = free_port()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server of two processes, whose database is away."""
    variables = {
        "DATABASE_URL": f"postgres://nobody@127.0.0.1:{DATABASE_PORT}/nothing",
        "METRICS_TOKEN": TOKEN,
        "SECRET_KEY": "long and random enough for this, with 50 characters and more",
    }
    with gunicorn(tmp_path_factory.mktemp("server"), "--workers=2", **variables) as server:
        yield server


def ask(server: Served, path: str, **headers: str) -> requests.Response:
    return requests.get(f"{server.url}{path}", headers=headers, timeout=PATIENCE)


def workers(server: Served) -> list[int]:
    return children_of(server.process.pid)


def measured(server: Served, name: str) -> list[float]:
    """The values of a metric, with whatever labels."""
    text = ask(server, "/metrics", Authorization=f"Bearer {TOKEN}").text
    return [float(value) for value in re.findall(rf"^{name}(?:\{{.*\}})? (\S+)$", text, re.MULTILINE)]


def test_metrics_add_up_over_its_processes_and_survive_one(server: Served) -> None:
    before = sum(measured(server, "reflow_requests_total"))
    for _ in range(20):
        ask(server, "/v1/nothing")
    os.kill(workers(server)[0], signal.SIGKILL)
    assert sum(measured(server, "reflow_requests_total")) == before + 20
    # Its end is a line of JSON, as all are.
    wait_until(lambda: "Perhaps out of memory?" in server.printed)
    loggers = {json.loads(line)["logger"] for line in server.printed.splitlines()}
    assert {"gunicorn.error", "reflow.requests"} <= loggers


def test_threads_and_memory_are_those_of_its_processes(server: Served) -> None:
    # A process that has just begun has not measured itself yet.
    sizes = "reflow_process_memory_bytes"
    wait_until(lambda: [size > 10_000_000 for size in measured(server, sizes)] == [True, True])
    wait_until(lambda: measured(server, "reflow_threads") == [8])
    # A thread is busy until its answer is gone, which is a moment after the answer has come.
    wait_until(lambda: measured(server, "reflow_threads_busy") == [1])


def test_headers_that_cannot_be_read_are_counted_and_not_quoted(server: Served) -> None:
    (before,) = measured(server, "reflow_requests_unreadable_total") or [0]
    for header in (f"Authorization Bearer {KEY}", f"Authorization : Bearer {KEY}", f"Cookie: {KEY}\0"):
        with socket.create_connection(("127.0.0.1", server.port), PATIENCE) as client:
            client.sendall(f"GET /?{KEY} HTTP/1.1\r\nHost: localhost\r\n{header}\r\n\r\n".encode())
            assert client.recv(4096).startswith(b"HTTP/1.1 400 ")
    assert SECRET not in server.printed
    assert "Invalid" not in server.printed
    wait_until(lambda: measured(server, "reflow_requests_unreadable_total") == [before + 3])


def test_told_to_stop_it_finishes_what_was_begun_and_leaves_nothing_behind(server: Served) -> None:
    """The last test of this server."""
    wait_until(lambda: measured(server, "reflow_threads") == [8])
    folder = Path(configuration.worker_tmp_dir or tempfile.gettempdir())
    kept = {file.parent for pid in workers(server) for file in folder.glob(f"reflow-metrics-*/*_{pid}.db")}
    assert kept
    with (
        socket.create_server(("127.0.0.1", DATABASE_PORT)) as database,
        socket.create_connection(("127.0.0.1", server.port), PATIENCE) as client,
    ):
        request = "GET /v1/stores/267418190/orders/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        client.sendall(f"{request}Authorization: Bearer {KEY}\r\n\r\n".encode())
        connection, _ = database.accept()
        server.process.terminate()
        wait_until(lambda: len(workers(server)) <= 1)
        connection.close()
        answer = client.makefile("rb").read()
    assert answer.startswith(b"HTTP/1.1 503 ")
    assert b'"code":"unavailable"' in answer
    assert server.process.wait(PATIENCE) == 0
    assert "Traceback" not in server.printed
    assert not any(metrics.exists() for metrics in kept)


def test_metrics_of_a_server_that_was_killed_are_removed_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed = subprocess.Popen([sys.executable, "-c", ""])
    killed.wait()
    names = [f"reflow-metrics-{killed.pid}-a", f"reflow-metrics-{os.getpid()}-b", "reflow-metrics-c", "other"]
    for name in names:
        (tmp_path / name).mkdir()
    monkeypatch.setattr(configuration, "worker_tmp_dir", str(tmp_path))
    configuration.remove_metrics_of_killed_servers()
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(names[1:])
