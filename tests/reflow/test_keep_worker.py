"""The worker that ``make run`` keeps beside its server."""

import os
import subprocess
import sys

import pytest

from tests.server import ROOT, database_of_the_tests

# A server that starts a keeper, and whoever reads its output until all that it started has ended.
SERVER = """
import os, subprocess, sys, time
subprocess.Popen([sys.executable, "-m", "reflow.management.keep_worker", str(os.getpid())])
time.sleep(600)
"""


@pytest.mark.once
@pytest.mark.django_db(transaction=True)
def test_the_worker_ends_with_its_server() -> None:
    environment = {
        "PATH": os.environ["PATH"],
        "ENV_FILE": os.devnull,
        "DJANGO_SETTINGS_MODULE": "reflow.settings",
        "SECRET_KEY": "of nobody, for a minute, on a loopback address: 0123456789",
        "DATABASE_URL": database_of_the_tests(),
        "LOG_FORMAT": "text",
    }
    command = [sys.executable, "-c", SERVER]
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as server:
        assert server.stdout is not None
        assert "Starting worker" in server.stdout.readline()
        server.kill()
        # It ends when nobody is left who could write to it.
        assert "shutting down gracefully" in server.stdout.read()
