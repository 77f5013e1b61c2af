"""``make`` in a checkout that has no environment yet."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def make(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run make with these arguments in a folder that has what it reads."""
    for file in (ROOT / "Makefile", *ROOT.glob("requirements*.lock")):
        shutil.copy(file, folder)
    # Not as a part of the make that may be running these tests.
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))
    }
    return subprocess.run(
        ["make", *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def test_a_python_that_will_not_do_gets_one_line(tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\nexit 1\n")
    python.chmod(0o755)
    result = make(tmp_path, "run", f"PYTHON={python}")
    assert (result.returncode, result.stdout) == (2, "")
    (line,) = result.stderr.splitlines()
    for words in ("needs Python 3.11 or newer", "apt install python3-venv", "make PYTHON="):
        assert words in line


def test_the_first_run_makes_secrets_that_only_their_user_can_read_and_no_other_does(tmp_path: Path) -> None:
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.symlink_to(sys.executable)
    assert make(tmp_path, ".env").returncode == 0
    file = tmp_path / ".env"
    written = file.read_text()
    values = dict(line.split("=", 1) for line in written.splitlines())
    assert len(values["SECRET_KEY"]) >= 50
    assert len(values["DEMO_OWNER_PASSWORD"]) >= 12
    assert values["HTTPS"] == "false"
    assert file.stat().st_mode & 0o777 == 0o600
    os.utime(file, (0, 0))
    assert make(tmp_path, ".env").returncode == 0
    assert file.read_text() == written
