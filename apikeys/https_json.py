"""Read a JSON document over HTTPS, from a server that may be slow, lead elsewhere or send too much."""

import json
import socket
import ssl
import threading
from contextlib import suppress
from http.client import HTTPException, HTTPSConnection
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

MAX_SECONDS = 3
MAX_BYTES = 256 * 1024


class FetchError(Exception):
    """A document could not be read, in words for operators."""


def fetch_json(url: str, issuer: str) -> dict[str, Any]:
    """Return the JSON object at an address that an issuer of ``settings.OIDC_ISSUERS`` names.

    Redirects are not followed. An address inside our own network is only that of the issuer itself, which
    an operator has named. Raises FetchError, within MAX_SECONDS from the connection on.
    """
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname:
        raise FetchError(f"{url[:200]!r} is not an https:// address")
    context = ssl.create_default_context(cafile=settings.OIDC_ISSUERS[issuer] or None)
    is_named = parts.hostname == urlsplit(issuer).hostname
    try:
        connection = HTTPSConnection(parts.hostname, parts.port, timeout=MAX_SECONDS, context=context)
        try:
            connection.connect()
            if not is_named and not ip_address(connection.sock.getpeername()[0]).is_global:
                raise FetchError(f"{parts.hostname} is inside our own network")
            body = read_body(connection, f"{parts.path or '/'}{'?' * bool(parts.query)}{parts.query}")
        finally:
            connection.close()
        document = json.loads(body)
    except (OSError, HTTPException, ValueError, RecursionError) as error:
        raise FetchError(f"{type(error).__name__} at {url[:200]}") from error
    if not isinstance(document, dict):
        raise FetchError("its document is no JSON object")
    return document


def read_body(connection: HTTPSConnection, path: str) -> bytes:
    """Return the body at a path. A server that sends a byte now and then is cut off all the same."""

    connected = connection.sock

    def cut_off() -> None:
        with suppress(OSError):
            connected.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(MAX_SECONDS, cut_off)
    timer.start()
    try:
        connection.request("GET", path, headers={"Accept": "application/json"})
        response = connection.getresponse()
        body = response.read(MAX_BYTES + 1)
    finally:
        timer.cancel()
    if response.status != 200:
        raise FetchError(f"it answers {response.status}")
    if len(body) > MAX_BYTES:
        raise FetchError(f"its document is larger than {MAX_BYTES:,} bytes")
    return body
