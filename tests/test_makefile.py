"""What ``make`` says where it cannot begin: one line, with what to do, and a status that is not 0."""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run make with these arguments in a checkout that has no environment yet."""
    for name in ("Makefile", "requirements.lock", "requirements-dev.lock", "requirements-install.lock"):
        shutil.copy(ROOT / name, tmp_path)
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


@pytest.mark.parametrize("target", ["run", "dev", "test", "lint"])
def test_a_python_that_is_too_old_gets_one_line(
    target: str, tmp_path: Path, make: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    result = make(target, python_that(tmp_path, answers="exit 1"))
    assert result.returncode != 0
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert "needs Python 3.11 or newer" in line
    assert "make PYTHON=" in line


def test_a_missing_venv_module_gets_one_line(
    tmp_path: Path, make: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    result = make("run", python_that(tmp_path, answers='case "$2" in *venv*) exit 1;; esac'))
    assert result.returncode != 0
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert "has no venv module" in line
    assert "apt install python3-venv" in line


def test_the_bare_command_lists_the_targets(
    make: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    listed = [line.split()[0] for line in make().stdout.splitlines()]
    assert listed[:4] == ["help", "run", "dev", "test"]
