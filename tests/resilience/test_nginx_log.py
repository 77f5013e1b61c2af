"""What nginx writes down of requests, with the configuration of reflow/deploy/."""

import http.client

from apikeys import key_text
from tests import programs
from tests.resilience import proxy
from tests.server import free_port


def test_nginx_logs_neither_keys_nor_links_to_reset_a_password() -> None:
    _, key = key_text.generate()
    secret = key.partition(".")[2]
    # Nobody listens behind it: nginx says most when it fails.
    with programs.needed(), proxy.in_front_of(free_port()) as nginx:
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
        written = {file.name: file.read_bytes() for file in nginx.folder.iterdir() if file.is_file()}
    assert b"GET 503" in written["access.log"]
    assert [name for name, text in written.items() if secret.encode() in text] == []
