"""Programs that some tests run: on Debian and Ubuntu, and as root, they are installed when missing.

Without one that cannot be had, the tests that need it are skipped with a line that says why.
"""

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn

import pytest

# Where servers are, which the PATH of most people leaves out.
PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin"


class Unavailable(Exception):
    """A program cannot be had here; says why not, and how to get it."""


def get(program: str, package: str) -> str:
    """Return the path of the program, after installing its package if need be. Raises Unavailable."""
    found = shutil.which(program, path=PATH)
    if found is None and os.geteuid() == 0 and shutil.which("apt-get"):
        install(package)
        found = shutil.which(program, path=PATH)
    if found is None:
        raise Unavailable(f"There is no {program}. Install it (on Debian and Ubuntu: apt install {package}).")
    return found


@contextmanager
def needed() -> Iterator[None]:
    """Skip the test, or in CI fail it, where what is started in this context is Unavailable."""
    try:
        yield
    except Unavailable as reason:
        skip(str(reason))


def skip(reason: str) -> NoReturn:
    """Skip a test that needs what is not here. In CI everything has to be, and the test fails."""
    (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(reason)


def wait_until(is_so: Callable[[], object], seconds: float = 180) -> None:
    """Come back when it is so; fail where it never is."""
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, "It never came to that."
        time.sleep(0.02)


def children_of(process: int) -> list[int]:
    """Return the ids of the processes that this one has started."""
    listed = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(process)], capture_output=True, text=True, check=False
    )
    return [int(pid) for pid in listed.stdout.split()]


def install(package: str) -> None:
    for command in (["update"], ["install", "-y", "--no-install-recommends", package]):
        # RUNLEVEL: the package starts no service.
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
        subprocess.run(["apt-get", "-qq", *command], env=environment, capture_output=True, check=False)
