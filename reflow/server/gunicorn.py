"""The configuration of gunicorn: ``gunicorn --config python:reflow.server.gunicorn``.

With ``--check-config`` it checks every variable and the application, and starts nothing.
"""

import os
import shutil
import tempfile
import threading
from contextlib import suppress
from logging.config import dictConfig
from pathlib import Path
from typing import Any

# A wrong variable stops the start here, with one line. A worker that found it would be restarted forever.
from reflow import env, settings

METRICS_PREFIX = "reflow-metrics-"

wsgi_app = "reflow.wsgi:application"
worker_class = "gthread"

# Rate limits hold across processes only where they are counted in one place.
workers = env.integer("WEB_PROCESSES", default=2 if settings.REDIS_URL else 1)
if workers > 1 and not settings.REDIS_URL:
    raise SystemExit(
        "WEB_PROCESSES is more than 1, but REDIS_URL is not set: processes count rate limits together there."
    )
# Threads wait for the database side by side; a process takes some 100 MB. Two may be busy with downloads.
threads = env.integer("WEB_THREADS", default=4, minimum=3)
# With what else a process has open, fewer than the usual 1,024 files.
worker_connections = 512

keepalive = 5

# Workers show that they live by touching a file, which must not wait for a disk.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108  # gunicorn makes its own file

# TRUST_X_FORWARDED_PROTO alone decides whether the proxy's word about the scheme is taken.
forwarded_allow_ips = ""
control_socket_disable = True

# There is no access log: the site's own says more. Warnings of requests that cannot be read are counted, and
# dropped: they quote header lines, one of which may hold a key.
loglevel = "warning"


def on_starting(server: Any) -> None:
    """Give the processes a folder in which each keeps its metrics, for /metrics to add up."""
    remove_metrics_of_killed_servers()
    prefix = f"{METRICS_PREFIX}{os.getpid()}-"
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = tempfile.mkdtemp(prefix=prefix, dir=worker_tmp_dir)
    on_reload(server)


def remove_metrics_of_killed_servers() -> None:
    """Remove folders whose server was killed, so that it could not do so itself."""
    for folder in Path(worker_tmp_dir or tempfile.gettempdir()).glob(f"{METRICS_PREFIX}*"):
        with suppress(ValueError, PermissionError):
            try:
                os.kill(int(folder.name.removeprefix(METRICS_PREFIX).partition("-")[0]), 0)
            except ProcessLookupError:
                shutil.rmtree(folder, ignore_errors=True)


def on_reload(server: Any) -> None:
    """Format the first process's own lines as the workers do, which Django configures."""
    dictConfig(settings.LOGGING)


def post_worker_init(worker: Any) -> None:
    """Start the threads of a process that is about to serve."""
    from reflow.server import process_metrics, request_deadline
    from reflow.server.replicas import replicas

    process_metrics.THREADS.set(threads)
    for watch in (
        process_metrics.measure_memory,
        request_deadline.watch,
        *(replica.watch for replica in replicas()),
    ):
        threading.Thread(target=watch, daemon=True).start()


def child_exit(server: Any, worker: Any) -> None:
    """Forget the gauges of a worker that has ended; its counters still count."""
    # When it is imported, it looks for the folder that on_starting makes.
    from prometheus_client.multiprocess import mark_process_dead

    mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]


def on_exit(server: Any) -> None:
    shutil.rmtree(os.environ["PROMETHEUS_MULTIPROC_DIR"], ignore_errors=True)


def worker_exit(server: Any, worker: Any) -> None:
    """Write what a worker has counted before it waits for its threads, one of which may hang.

    What they answer until then is written when the process ends. Gunicorn calls this in its first process
    too, where Django was never set up, about a worker that it finds gone.
    """
    if worker.booted:
        from apikeys.usage import recorder

        recorder.flush()
