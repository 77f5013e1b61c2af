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

from apikeys import keys
from tests.server import PATIENCE, ROOT, free_port, wait_for

pytestmark = pytest.mark.once

TOKEN = "a3f1c2d4e5b6978877665544332211ff"
_, KEY = keys.generate()
SECRET = KEY.split(".")[1]


class Server:
    """A server on a port, and all that its processes have written."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.output = folder / "output"
        environment = {
            "ENV_FILE": os.devnull,
            "SECRET_KEY": "long and random enough for this, with 50 characters and more",
            "DATABASE_URL": f"sqlite:///{folder / 'db.sqlite3'}",
            "METRICS_TOKEN": TOKEN,
            "HTTPS": "false",
            "WEB_PROCESSES": "2",
        }
        command = ["gunicorn", "-c", "python:reflow.gunicorn", "--bind", f"127.0.0.1:{self.port}"]
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

    def measured(self) -> str:
        return self.ask("/metrics", Authorization=f"Bearer {TOKEN}")[1]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("server"))
    yield server
    server.stop()


def test_it_is_alive_and_ready_over_plain_http(server: Server) -> None:
    assert server.ask("/healthz", Host="10.1.2.3")[1] == "ok\n"
    answer, body = server.ask("/readyz", Host="10.1.2.3")
    assert (answer.status, json.loads(body)) == (200, {"database": "ok", "limiter": "ok"})


def test_metrics_add_up_over_its_processes_and_survive_one(server: Server) -> None:
    def static() -> float:
        found = re.search(r'reflow_requests_total\{.*resource="static".*\} (\S+)', server.measured())
        return float(found[1]) if found else 0

    before = static()
    for _ in range(20):
        server.ask("/static/nothing.css")
    os.kill(server.workers[0], signal.SIGKILL)
    assert static() == before + 20


def test_a_request_is_one_line_of_json_with_the_id_that_its_sender_sees(server: Server) -> None:
    answer, _ = server.ask(f"/v1/{KEY}?key={KEY}", Authorization=f"Bearer {KEY}", Cookie=f"a={KEY}")
    lines = [json.loads(line) for line in server.written.splitlines() if '"reflow.requests"' in line]
    (line,) = [line for line in lines if line["request_id"] == answer.headers["X-Request-Id"]]
    assert (line["path"], line["status"]) == (f"/v1/{KEY[:7]}.[hidden]", 404)


def test_headers_that_cannot_be_read_are_not_quoted(server: Server) -> None:
    for header in (f"Authorization Bearer {KEY}", f"Authorization : Bearer {KEY}", f"Cookie: {KEY}\0"):
        with socket.create_connection(("127.0.0.1", server.port), PATIENCE) as client:
            client.sendall(f"GET /?{KEY} HTTP/1.1\r\nHost: localhost\r\n{header}\r\n\r\n".encode())
            assert client.recv(4096).startswith(b"HTTP/1.1 400 ")
    assert SECRET not in server.written


def test_told_to_stop_it_finishes_what_was_begun_and_leaves_nothing_behind(server: Server) -> None:
    """The last test of this server."""
    kept = measurements()
    with socket.create_connection(("127.0.0.1", server.port), PATIENCE) as client:
        client.sendall(
            b"POST /v1/api-keys/revoke/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
            b"Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{"
        )
        # It has taken this up, for it answers one that came later.
        server.ask("/healthz")
        server.process.terminate()
        wait_for_workers(server, 1)
        client.sendall(b"}")
        answer = client.makefile("rb").read()
    assert b'"code":"invalid"' in answer
    assert server.process.wait(PATIENCE) == 0
    assert "Traceback" not in server.written
    assert len(measurements()) == len(kept) - 1


def measurements() -> list[Path]:
    """The folders in which servers on this machine keep what they measure."""
    folder = Path("/dev/shm") if Path("/dev/shm").is_dir() else Path(tempfile.gettempdir())  # noqa: S108
    return list(folder.glob("reflow-metrics-*"))


def wait_for_workers(server: Server, number: int) -> None:
    """Come back when no more of the server's processes are left than this."""
    deadline = time.monotonic() + PATIENCE
    while len(server.workers) > number:
        assert time.monotonic() < deadline, server.written
        time.sleep(0.05)
