"""How gunicorn serves the site: ``gunicorn -c python:reflow.server.gunicorn``."""

import os
import resource
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from reflow import env as env

# What is wrong with the settings is said here, once and before anybody is let in. A worker that found it
# would only be started again, for ever.
if subprocess.run([sys.executable, "-m", "reflow.settings"], cwd=Path(__file__).parents[2]).returncode:
    sys.exit(1)

wsgi_app = "reflow.wsgi:application"

# Threads wait for the database side by side; each further worker is a process of some 100 MB.
worker_class = "reflow.server.worker.PatientWorker"
# Not WEB_CONCURRENCY: gunicorn reads that one itself, and meets a wrong value with a traceback.
workers = env.whole("WEB_PROCESSES", default=2)
threads = env.whole("WEB_THREADS", default=4)

# Idle connections are cheap, but each is an open file, of which there are often no more than 1,024.
_, most_files = resource.getrlimit(resource.RLIMIT_NOFILE)
files = 4096 if most_files == resource.RLIM_INFINITY else min(4096, most_files)
resource.setrlimit(resource.RLIMIT_NOFILE, (files, most_files))
worker_connections = files * 3 // 4

# A request still running when the server is told to stop has this long; so has one that hangs.
timeout = graceful_timeout = 30
keepalive = 5

# Workers prove that they live by touching a file, which must not wait for a disk.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108  # gunicorn makes its own file

# Nobody's word about the scheme or the path is taken here: TRUST_X_FORWARDED_PROTO is the one place.
forwarded_allow_ips = ""
control_socket_disable = True

# There is no access log: the site's own says more. Below "error", gunicorn quotes the header lines
# that it cannot read, and one of those may hold a key.
loglevel = "error"


def on_starting(server: Any) -> None:
    """Give the processes a folder in which each keeps its measurements, for /metrics to add up."""
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = tempfile.mkdtemp(prefix="reflow-metrics-", dir=worker_tmp_dir)


def child_exit(server: Any, worker: Any) -> None:
    """Forget what a worker that has ended was doing; what it did still counts."""
    for file in Path(os.environ["PROMETHEUS_MULTIPROC_DIR"]).glob(f"gauge_live*_{worker.pid}.db"):
        file.unlink()


def on_exit(server: Any) -> None:
    shutil.rmtree(os.environ["PROMETHEUS_MULTIPROC_DIR"], ignore_errors=True)


def worker_exit(server: Any, worker: Any) -> None:
    """Write what a worker has counted before it waits for its threads, one of which may hang.

    What they answer until then is written when the process ends. Gunicorn calls this in its own process
    too, where Django was never set up, about a worker that it finds gone.
    """
    if worker.booted:
        from apikeys.usage import recorder

        recorder.flush()
