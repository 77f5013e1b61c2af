"""Programs that some tests run: on Debian and Ubuntu, and as root, they are installed when missing."""

import os
import shutil
import subprocess
from typing import NoReturn

import pytest

# Where servers are, which the PATH of most people leaves out.
PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin"


def find(program: str, package: str) -> str | None:
    """Return the path of the program, after installing its package if need be; None where there is none."""
    found = shutil.which(program, path=PATH)
    if found is None and os.geteuid() == 0 and shutil.which("apt-get"):
        install(package)
        found = shutil.which(program, path=PATH)
    return found


def skip(reason: str) -> NoReturn:
    """Skip a test that needs what is not here. In CI everything has to be, and the test fails."""
    (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(reason)


def install(package: str) -> None:
    for command in (["update"], ["install", "-y", "--no-install-recommends", package]):
        # RUNLEVEL: the package starts no service.
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
        subprocess.run(["apt-get", "-qq", *command], env=environment, capture_output=True, check=False)
