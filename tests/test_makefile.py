"""``make`` where it cannot begin: one line, with what to do, and a status that is not 0."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Make = Callable[..., subprocess.CompletedProcess[str]]

ROOT = Path(__file__).parent.parent


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Run make with these arguments in a checkout that has no environment yet."""
    shutil.copy(ROOT / "Makefile", tmp_path)
    for lock in ROOT.glob("requirements*.lock"):
        shutil.copy(lock, tmp_path)
    # Not as a part of the make that may be running these tests.
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))
    }

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["make", *arguments], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )

    return run


def python_that(folder: Path, *, answers: str) -> str:
    """A stand-in for Python that runs this shell command on the code it is given as ``$2``."""
    python = folder / "python"
    python.write_text(f"#!/bin/sh\n{answers}\n")
    python.chmod(0o755)
    return f"PYTHON={python}"


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ("exit 1", "needs Python 3.11 or newer"),
        ('case "$2" in *venv*) exit 1;; esac', "apt install python3-venv"),
    ],
)
def test_a_python_that_will_not_do_gets_one_line(
    tmp_path: Path, make: Make, answers: str, words: str
) -> None:
    result = make("run", python_that(tmp_path, answers=answers))
    assert result.returncode != 0
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert words in line
    assert "make PYTHON=" in line


def test_the_first_run_makes_secrets_that_only_their_user_can_read_and_no_other_does(
    tmp_path: Path, make: Make
) -> None:
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.symlink_to(sys.executable)
    make(".env")
    file = tmp_path / ".env"
    written = file.read_text()
    values = dict(line.split("=", 1) for line in written.splitlines())
    assert len(values["SECRET_KEY"]) >= 50
    assert len(values["DEMO_OWNER_PASSWORD"]) >= 12
    assert values["HTTPS"] == "false"
    assert file.stat().st_mode & 0o777 == 0o600
    os.utime(file, (0, 0))
    make(".env")
    assert file.read_text() == written
