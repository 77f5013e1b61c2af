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


def test_a_python_that_is_too_old_gets_one_line(tmp_path: Path, make: Make) -> None:
    result = make("run", python_that(tmp_path, answers="exit 1"))
    assert_one_line(result, "needs Python 3.11 or newer")


def test_a_missing_venv_module_gets_one_line(tmp_path: Path, make: Make) -> None:
    result = make("run", python_that(tmp_path, answers='case "$2" in *venv*) exit 1;; esac'))
    assert_one_line(result, "apt install python3-venv")


def assert_one_line(result: subprocess.CompletedProcess[str], words: str) -> None:
    assert result.returncode != 0
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert words in line
    assert "make PYTHON=" in line


@pytest.fixture
def environment_file(tmp_path: Path) -> Path:
    """The file of the secrets, in a checkout whose environment is there already."""
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.symlink_to(sys.executable)
    return tmp_path / ".env"


def test_the_first_run_makes_secrets_that_only_their_user_can_read(
    environment_file: Path, make: Make
) -> None:
    make(".env")
    values = dict(line.split("=", 1) for line in environment_file.read_text().splitlines())
    assert len(values["SECRET_KEY"]) >= 50
    assert len(values["DEMO_OWNER_PASSWORD"]) >= 12
    assert values["HTTPS"] == "false"
    assert environment_file.stat().st_mode & 0o777 == 0o600


def test_an_environment_file_that_is_there_stays_as_it_is(environment_file: Path, make: Make) -> None:
    environment_file.write_text("HTTPS=true\n")
    make(".env")
    assert environment_file.read_text() == "HTTPS=true\n"
