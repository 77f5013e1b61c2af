"""``make`` in a checkout that has no environment yet."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_the_first_run_makes_secrets_that_only_their_user_can_read_and_no_other_does(tmp_path: Path) -> None:
    for file in (ROOT / "Makefile", *ROOT.glob("requirements*.lock")):
        shutil.copy(file, tmp_path)
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.symlink_to(sys.executable)
    # Not as a part of the make that may be running these tests.
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))
    }
    command = ["make", ".env"]
    subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, check=True)
    file = tmp_path / ".env"
    written = file.read_text()
    values = dict(line.split("=", 1) for line in written.splitlines())
    assert len(values["SECRET_KEY"]) >= 50
    assert len(values["DEMO_OWNER_PASSWORD"]) >= 12
    assert values["HTTPS"] == "false"
    assert file.stat().st_mode & 0o777 == 0o600
    os.utime(file, (0, 0))
    subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, check=True)
    assert file.read_text() == written
