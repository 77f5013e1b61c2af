"""The two sides of a comparison, each in processes of its own with settings of its own."""

import json
import os
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Self

ROOT = Path(__file__).parent.parent.parent
NEVER_REACHED = str(10**9)
# One for all: what one process signs, another reads.
SECRET_KEY = secrets.token_urlsafe(50)


@dataclass(frozen=True)
class Side:
    """One side's environment, which its processes are given."""

    environment: Mapping[str, str]

    @classmethod
    def ours(cls, database_url: str, **changed: str) -> Self:
        """As in production, with limits that are counted but not reached."""
        return cls(
            _environment("tests.benchmarks.ours.settings", database_url)
            | {"RATE_LIMIT_PER_ADDRESS": NEVER_REACHED}
            | changed
        )

    @classmethod
    def peers(cls, database_url: str) -> Self:
        return cls(_environment("tests.benchmarks.peers.settings", database_url))

    def run(self, function: str, *numbers: int) -> Any:
        """Call a function of ``tests.benchmarks`` in a process; returns what it does. Raises RuntimeError."""
        call = f"tests.benchmarks.{function}"
        command = [sys.executable, "-m", "tests.benchmarks.call", call, *map(str, numbers)]
        done = subprocess.run(
            command, cwd=ROOT, env=self.environment, check=False, capture_output=True, text=True
        )
        if done.returncode:
            raise RuntimeError(done.stderr)
        return json.loads(done.stdout)

    @contextmanager
    def worker(self) -> Iterator["Worker"]:
        """A process that times requests, for as long as the context lasts.

        As under the production server, it keeps its measurements in files, and its log goes to one.
        """
        with (
            tempfile.TemporaryDirectory(prefix="reflow-bench-") as measurements,
            tempfile.TemporaryFile("a+") as log,
            subprocess.Popen(
                [sys.executable, "-m", "tests.benchmarks.worker"],
                cwd=ROOT,
                env={**self.environment, "PROMETHEUS_MULTIPROC_DIR": measurements},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            ) as process,  # its end comes with that of its input
        ):
            yield Worker(process, log)


def _environment(settings: str, database_url: str) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "BENCH_CLOCK": os.environ.get("BENCH_CLOCK", ""),
        "DJANGO_SETTINGS_MODULE": settings,
        "ENV_FILE": os.devnull,
        "SECRET_KEY": SECRET_KEY,
        "HTTPS": "false",
        "DATABASE_URL": database_url,
    }


@dataclass(frozen=True)
class Call:
    """A request as clients make it, each time with the headers of the next of them."""

    path: str
    headers: Sequence[Mapping[str, str]] = ({},)

    @classmethod
    def with_keys(cls, path: str, authorization: Sequence[str]) -> Self:
        return cls(path, [{"Authorization": header} for header in authorization])


@dataclass(frozen=True)
class Answered:
    """Results of some requests: each one's seconds, the last body, and the process's memory after them.

    ``memory`` is resident, in bytes; ``blocks`` is how many blocks of it Python has given to objects.
    """

    seconds: list[float]
    memory: int
    blocks: int
    body: str


@dataclass(frozen=True)
class Worker:
    process: subprocess.Popen[str]
    log: IO[str]

    def make(self, call: Call, times: int) -> Answered:
        """Let the process make a request so many times, while all others wait."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.log.truncate(0)
        order = {"path": call.path, "headers": list(call.headers), "times": times}
        print(json.dumps(order), file=self.process.stdin, flush=True)
        line = self.process.stdout.readline()
        if not line:
            self.process.wait()
            self.log.seek(0)
            raise RuntimeError(f"The worker ended over {call.path}:\n{self.log.read()}")
        return Answered(**json.loads(line))
