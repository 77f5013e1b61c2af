"""The site as production serves it, with a shop and keys, on a database that a test may break."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

from tests.server import ROOT, free_port, wait_for

SECRET_KEY = "of nobody, for an hour, on a loopback address: 0123456789 abcdef"
PATIENCE_SECONDS = 120
# Removed when the process ends; the first site that it makes fills it.
STATIC_FOLDER = tempfile.TemporaryDirectory(prefix="reflow-static-")
STORE = "/v1/stores/267418190"
PAGES = "/stores/267418190/settings/api-keys/"


@dataclass(frozen=True)
class Site:
    """``brief_key`` expires half an hour after it was made. ``output`` is all that the server prints."""

    port: int
    process: subprocess.Popen[bytes]
    key: str
    brief_key: str
    output: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def connect(self, timeout: float = PATIENCE_SECONDS) -> HTTPConnection:
        return HTTPConnection("127.0.0.1", self.port, timeout=timeout)

    def workers(self) -> list[int]:
        """The ids of the processes that answer."""
        listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True)
        pairs = (map(int, line.split()) for line in listed.stdout.splitlines())
        return [pid for pid, parent in pairs if parent == self.process.pid]


def await_answer(site: Site) -> None:
    """The server listens before those who answer are there."""
    with closing(site.connect(timeout=180)) as connection:
        connection.request("GET", f"{STORE}/")
        connection.getresponse().read()


def environment(database_url: str, **settings: str) -> dict[str, str]:
    """Return the environment of a process of the site."""
    return {
        "PATH": os.environ["PATH"],
        "ENV_FILE": os.devnull,
        "SECRET_KEY": SECRET_KEY,
        "HTTPS": "false",
        "DATABASE_URL": database_url,
        "RATE_LIMIT_PER_KEY": "1000000",
        "LOG_LEVEL": "ERROR",
        "DJANGO_SETTINGS_MODULE": "tests.resilience.settings",
        "STATIC_FOLDER": STATIC_FOLDER.name,
        **settings,
    }


def make_shop(environment: dict[str, str]) -> tuple[str, str]:
    """Make a shop in the database, which is new. Returns its keys, the second a brief one."""
    made = subprocess.run(
        [sys.executable, "-m", "tests.resilience.shop"],
        cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=True,
    )  # fmt: skip
    key, brief_key = made.stdout.split()
    return key, brief_key


@contextmanager
def site(
    folder: Path, database_url: str, *, config: str = "reflow.server.gunicorn", **settings: str
) -> Iterator[Site]:
    """Make a shop in the database, which is new, and serve it. Settings are given as in the environment."""
    given = environment(database_url, **settings)
    key, brief_key = make_shop(given)
    port, output = free_port(), folder / "output"
    with output.open("a") as log:
        command = ["gunicorn", "--config", f"python:{config}", "--bind", f"127.0.0.1:{port}"]
        process = subprocess.Popen(
            [sys.executable, "-m", *command], cwd=ROOT, env=given, stdout=log, stderr=log
        )
    try:
        wait_for(process, port, output)
        site = Site(port, process, key, brief_key, output)
        await_answer(site)
        yield site
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE_SECONDS)
