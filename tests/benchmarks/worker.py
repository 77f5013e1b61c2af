"""A process that serves requests to itself and times them: ``python -m tests.benchmarks.worker``.

It hosts the application that its settings name, as a server would: each request goes through the WSGI
handler and all of Django, signals included. One side of a comparison runs in one such process; the other,
with settings of its own, waits meanwhile in another. Each line of standard input is a JSON object::

    {"path": "/v1/…", "headers": [{"Authorization": "Bearer …"}], "times": 50}

Each of the headers is sent in turn. The answer is a line as well::

    {"seconds": [0.00031, …], "memory": 104857600, "blocks": 800000, "body": "the last answer's"}

Requests are made from stacks of different depths. CPython keeps frames in blocks of 16 kB, and where one ends
each call takes a new block from the system and gives it back: where that falls into an inner loop, a page
takes half as long again, by chance and not by its code.

With BENCH_CLOCK=cpu in its environment the seconds are those that this process has kept a processor busy:
what others do on the machine is left out, and so is the database.
"""

import io
import json
import os
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from itertools import cycle, islice
from pathlib import Path
from typing import Any
from wsgiref.types import WSGIApplication
from wsgiref.util import setup_testing_defaults

from django.core.servers.basehttp import get_internal_wsgi_application

# How many calls deeper the next requests are made: from all over 16 kB of frames, in steps far apart.
depths = cycle([step * 37 % 140 for step in range(140)])
clock = time.process_time if os.environ.get("BENCH_CLOCK") == "cpu" else time.perf_counter


def main() -> None:
    """Answer line by line until standard input ends."""
    application = get_internal_wsgi_application()
    answers, sys.stdout = sys.stdout, sys.stderr  # nothing else may speak in between
    for line in sys.stdin:
        print(json.dumps(run(application, **json.loads(line))), file=answers, flush=True)


def run(
    application: WSGIApplication, *, path: str, headers: list[dict[str, str]], times: int
) -> dict[str, Any]:
    """Make the requests; raises AssertionError when one of them is not answered with 200."""
    seconds: list[float] = []
    body = b""
    for environ in islice(cycle(environs(path, headers)), times):
        fresh = {**environ, "wsgi.input": io.BytesIO()}
        status, body, passed = time_request(application, fresh, next(depths))
        seconds.append(passed)
        assert status == "200 OK", (path, status, body)
    return {
        "seconds": seconds,
        "memory": resident(),
        "blocks": sys.getallocatedblocks(),
        "body": body.decode(),
    }


def time_request(
    application: WSGIApplication, environ: dict[str, Any], depth: int
) -> tuple[str, bytes, float]:
    """Return status, body and seconds of a request made by so many calls of this function."""
    if depth:
        return time_request(application, environ, depth - 1)
    start = clock()
    status, body = request(application, environ)
    return status, body, clock() - start


def environs(path: str, headers: Iterable[Mapping[str, str]]) -> Iterator[dict[str, Any]]:
    """A GET of a path, as a server hands it over: once with each of the headers."""
    path, _, query = path.partition("?")
    for sent in headers:
        environ: dict[str, Any] = {
            "HTTP_HOST": "localhost:8000",
            "HTTP_USER_AGENT": "benchmark",
            "HTTP_ACCEPT": "*/*",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "REMOTE_ADDR": "127.0.0.1",
            "SERVER_PROTOCOL": "HTTP/1.1",
            **{f"HTTP_{name.upper().replace('-', '_')}": value for name, value in sent.items()},
        }
        setup_testing_defaults(environ)
        yield environ


def request(application: WSGIApplication, environ: dict[str, Any]) -> tuple[str, bytes]:
    """The status and body of one answer, closed as a server closes it."""
    begun: list[str] = []

    def start_response(status: str, headers: Any, error: Any = None) -> Any:
        begun.append(status)

    chunks = application(environ, start_response)
    body = b"".join(chunks)
    if close := getattr(chunks, "close", None):
        close()
    return begun[0], body


def resident() -> int:
    """The bytes of memory that this process holds, where the system tells; else 0."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


if __name__ == "__main__":
    main()
