"""nginx with the configuration of reflow/deploy/, behind which nobody listens: the site cannot start."""

import configparser
import http.client
import json
import os
import subprocess
from pathlib import Path

import pytest

from apikeys import key_text
from tests import programs
from tests.resilience import proxy
from tests.server import free_port


def test_nginx_logs_neither_keys_nor_links_to_reset_a_password() -> None:
    _, key = key_text.generate()
    secret = key.partition(".")[2]
    # Nobody listens behind it: nginx says most when it fails.
    with programs.needed(), proxy.nginx(free_port()) as nginx:
        for path, body in (
            (f"/v1/stores/1/orders/?api_key={key}", b""),
            (f"/v1/{key}/foo", b""),
            (f"/accounts/password/reset/key/{secret}/", b""),
            (f"/v1/?q={key}", b" " * 3_000_000),
        ):
            connection = http.client.HTTPConnection("127.0.0.1", nginx.port, timeout=30)
            try:
                connection.request("POST" if body else "GET", path, body, {"Referer": f"http://x/?{key}"})
                assert connection.getresponse().status in {413, 503}
            except ConnectionError:
                pass  # it hangs up in the middle of a body that is too large
            finally:
                connection.close()
        nginx.kill()
        files = nginx.output.parent.iterdir()
        written = {file.name: file.read_bytes() for file in files if file.is_file()}
    assert b"GET 503" in written["access.log"]
    assert [name for name, text in written.items() if secret.encode() in text] == []


def test_nginx_answers_503_while_nobody_listens() -> None:
    # Long before nginx would give up on a server that listens and does not answer: after 40 s.
    with programs.needed(), proxy.nginx(free_port()) as nginx:
        connection = http.client.HTTPConnection("127.0.0.1", nginx.port, timeout=30)
        for path in ("/healthz", "/v1/stores/267418190/orders/"):
            connection.request("GET", path, headers={"Host": "api.example.com"})
            answer = connection.getresponse()
            body = json.loads(answer.read())
            assert (answer.status, answer.headers["Retry-After"], body["code"]) == (503, "5", "unavailable")
        connection.close()


@pytest.mark.parametrize(
    ("result", "called"), [("exit-code", "--no-block stop reflow.socket\n"), ("success", ""), ("signal", "")]
)
def test_the_unit_closes_its_socket_when_the_site_cannot_start(
    result: str, called: str, tmp_path: Path
) -> None:
    """Nobody listens then. After a restart, and when it is killed, connections wait in the socket."""
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.read(proxy.CONFIGURATION.parent / "reflow.service")
    program, _, script = unit["Service"]["ExecStopPost"].partition(" -c ")
    assert program == "+/bin/sh"
    stand_in = tmp_path / "systemctl"
    stand_in.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/called\n')
    stand_in.chmod(0o755)
    (tmp_path / "called").touch()
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "SERVICE_RESULT": result}
    subprocess.run(["/bin/sh", "-c", script.strip("'")], env=environment, check=True)
    assert (tmp_path / "called").read_text() == called
