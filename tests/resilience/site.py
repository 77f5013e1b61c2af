"""The site as production serves it, with a shop and keys, on a database that a test may break."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

from tests import prepared
from tests.programs import children_of
from tests.server import ROOT, Served, gunicorn

SECRET_KEY = "of nobody, for an hour, on a loopback address: 0123456789 abcdef"
PATIENCE_SECONDS = 120
STORE = "/v1/stores/267418190"
PAGES = "/stores/267418190/settings/api-keys/"


@dataclass(frozen=True)
class Site(Served):
    """``brief_key`` expires half an hour after it was made."""

    key: str
    brief_key: str

    def connect(self, timeout: float = PATIENCE_SECONDS) -> HTTPConnection:
        return HTTPConnection(self.url.removeprefix("http://"), timeout=timeout)

    def workers(self) -> list[int]:
        """Return the ids of the processes that answer."""
        return children_of(self.process.pid)

    def await_answer(self) -> None:
        """Come back when it answers: a server listens before those who answer are there."""
        with closing(self.connect()) as connection:
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
        "STATIC_FOLDER": str(prepared.static_folder()),
        **settings,
    }


def run(*program: str, variables: dict[str, str], typed: str = "") -> str:
    """Run Python with an environment of the site; return what it printed."""
    done = subprocess.run(
        [sys.executable, *program],
        cwd=ROOT, env=variables, input=typed, stdout=subprocess.PIPE, text=True, check=True,
    )  # fmt: skip
    return done.stdout


def make_keys(variables: dict[str, str]) -> tuple[str, str]:
    """Make the shop where the database has none, and two keys of it, the second a brief one."""
    key, brief_key = run("-m", "tests.resilience.shop", variables=variables).split()
    return key, brief_key


@contextmanager
def site(
    folder: Path, database_url: str, *, config: str = "reflow.server.gunicorn", **settings: str
) -> Iterator[Site]:
    """Serve the shop, with new keys. Settings are given as in the environment."""
    variables = environment(database_url, **settings)
    keys = make_keys(variables)
    with gunicorn(folder, config=config, **variables) as served:
        found = Site(served.url, database_url, served.output, served.process, *keys)
        found.await_answer()
        yield found
