"""The production server, in processes of its own: what operators see of it, and how it stops."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path

import pytest

from apikeys import key_text
from reflow.server import gunicorn
from tests.server import PATIENCE, ROOT, free_port, wait_for

TOKEN = "a3f1c2d4e5b6978877665544332211ff"
_, KEY = key_text.generate()
SECRET = KEY.split(".")[1]


class Server:
    """A server on a port, and all that its processes have written. Its database never answers."""

    def __init__(self, folder: Path, database: socket.socket) -> None:
        self.database = database
        self.port = free_port()
        self.output = folder / "output"
        environment = {
            "ENV_FILE": os.devnull,
            "SECRET_KEY": "long and random enough for this, with 50 characters and more",
            "DATABASE_URL": f"postgres://nobody@127.0.0.1:{port_of(database)}/nothing?connect_timeout=2",
            "METRICS_TOKEN": TOKEN,
            "HTTPS": "false",
        }
        config = ["-c", "python:reflow.server.gunicorn", "--workers=2"]
        command = ["gunicorn", *config, "--bind", f"127.0.0.1:{self.port}"]
        with self.output.open("w") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *command], cwd=ROOT, env=environment, stdout=output, stderr=output
            )
        wait_for(self.process, self.port, self.output)

    def stop(self) -> int:
        self.process.terminate()
        return self.process.wait(PATIENCE)

    @property
    def written(self) -> str:
        return self.output.read_text()

    def ask(self, path: str, **headers: str) -> tuple[HTTPResponse, str]:
        """An answer to somebody who comes through the proxy, and its body."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        connection.request("GET", path, headers={"Host": "localhost", **headers})
        answer = connection.getresponse()
        body = answer.read().decode()
        connection.close()
        return answer, body

    @property
    def workers(self) -> list[int]:
        """Its processes, besides the one that started them."""
        listed = subprocess.run(
            ["ps", "-o", "pid=", "--ppid", str(self.process.pid)], capture_output=True, text=True, check=True
        )
        return [int(pid) for pid in listed.stdout.split()]

    def measured(self, name: str) -> list[float]:
        """The values of a metric, with whatever labels."""
        text = self.ask("/metrics", Authorization=f"Bearer {TOKEN}")[1]
        return [float(value) for value in re.findall(rf"^{name}(?:\{{.*\}})? (\S+)$", text, re.MULTILINE)]


def port_of(server: socket.socket) -> int:
    return int(server.getsockname()[1])


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with socket.create_server(("127.0.0.1", 0)) as database:
        server = Server(tmp_path_factory.mktemp("server"), database)
        yield server
        server.stop()


def test_a_database_that_never_answers_holds_up_no_load_balancer(server: Server) -> None:
    assert server.ask("/healthz", Host="10.1.2.3")[1] == "ok\n"
    answer, body = server.ask("/readyz", Host="10.1.2.3")
    assert (answer.status, json.loads(body)) == (
        503,
        {"database": "failed", "limiter": "ok", "email": "EMAIL_URL is not set"},
    )
    server.database.accept()[0].close()


def test_metrics_add_up_over_its_processes_and_survive_one(server: Server) -> None:
    before = sum(server.measured("reflow_requests_total"))
    for _ in range(20):
        server.ask("/v1/nothing")
    os.kill(server.workers[0], signal.SIGKILL)
    assert sum(server.measured("reflow_requests_total")) == before + 20


def test_threads_and_memory_are_those_of_its_processes(server: Server) -> None:
    deadline = time.monotonic() + PATIENCE
    while len(server.measured("reflow_process_memory_bytes")) != 2:
        assert time.monotonic() < deadline, server.written
    assert server.measured("reflow_threads") == [8]
    # A thread is busy until its answer is gone, which is a moment after the answer has come.
    while server.measured("reflow_threads_busy") != [1]:
        assert time.monotonic() < deadline
    assert all(size > 10_000_000 for size in server.measured("reflow_process_memory_bytes"))


def test_every_line_is_json_those_of_gunicorn_too(server: Server) -> None:
    os.kill(server.workers[0], signal.SIGKILL)
    deadline = time.monotonic() + PATIENCE
    while "Perhaps out of memory?" not in server.written:
        assert time.monotonic() < deadline, server.written
        time.sleep(0.05)
    loggers = {json.loads(line)["logger"] for line in server.written.splitlines()}
    assert {"gunicorn.error", "reflow.requests"} <= loggers


def test_a_request_is_one_line_of_json_with_the_id_that_its_sender_sees(server: Server) -> None:
    answer, _ = server.ask(f"/v1/{KEY}?key={KEY}", Authorization=f"Bearer {KEY}", Cookie=f"a={KEY}")
    lines = [json.loads(line) for line in server.written.splitlines() if '"reflow.requests"' in line]
    (line,) = [line for line in lines if line["request_id"] == answer.headers["X-Request-Id"]]
    assert (line["path"], line["status"]) == (f"/v1/{KEY[:7]}.[hidden]", 404)


def test_headers_that_cannot_be_read_are_counted_and_not_quoted(server: Server) -> None:
    (before,) = server.measured("reflow_requests_unreadable_total") or [0]
    for header in (f"Authorization Bearer {KEY}", f"Authorization : Bearer {KEY}", f"Cookie: {KEY}\0"):
        with socket.create_connection(("127.0.0.1", server.port), PATIENCE) as client:
            client.sendall(f"GET /?{KEY} HTTP/1.1\r\nHost: localhost\r\n{header}\r\n\r\n".encode())
            assert client.recv(4096).startswith(b"HTTP/1.1 400 ")
    assert SECRET not in server.written
    assert "Invalid" not in server.written
    assert server.measured("reflow_requests_unreadable_total") == [before + 3]


def test_told_to_stop_it_finishes_what_was_begun_and_leaves_nothing_behind(server: Server) -> None:
    """The last test of this server."""
    kept = measurements_of(server)
    with socket.create_connection(("127.0.0.1", server.port), PATIENCE) as client:
        request = "GET /v1/stores/267418190/orders/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        client.sendall(f"{request}Authorization: Bearer {KEY}\r\n\r\n".encode())
        connection, _ = server.database.accept()
        server.process.terminate()
        wait_for_workers(server, 1)
        connection.close()
        answer = client.makefile("rb").read()
    assert answer.startswith(b"HTTP/1.1 503 ")
    assert b'"code":"unavailable"' in answer
    assert server.process.wait(PATIENCE) == 0
    assert "Traceback" not in server.written
    assert not kept.exists()


def test_metrics_of_a_server_that_was_killed_are_removed_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed = subprocess.Popen([sys.executable, "-c", ""])
    killed.wait()
    names = [f"reflow-metrics-{killed.pid}-a", f"reflow-metrics-{os.getpid()}-b", "reflow-metrics-c", "other"]
    for name in names:
        (tmp_path / name).mkdir()
    monkeypatch.setattr(gunicorn, "worker_tmp_dir", str(tmp_path))
    gunicorn.remove_metrics_of_killed_servers()
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(names[1:])


def measurements_of(server: Server) -> Path:
    """The folder in which its processes keep what they measure."""
    folder = Path("/dev/shm") if Path("/dev/shm").is_dir() else Path(tempfile.gettempdir())  # noqa: S108
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        for pid in server.workers:
            for file in folder.glob(f"reflow-metrics-*/counter_{pid}.db"):
                return file.parent
        time.sleep(0.05)
    raise AssertionError(server.written)


def wait_for_workers(server: Server, number: int) -> None:
    """Come back when no more of the server's processes are left than this."""
    deadline = time.monotonic() + PATIENCE
    while len(server.workers) > number:
        assert time.monotonic() < deadline, server.written
        time.sleep(0.05)
