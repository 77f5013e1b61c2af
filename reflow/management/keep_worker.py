"""Keep a worker for background tasks beside a server: ``python -m reflow.management.keep_worker PID``.

``make run`` starts it. In production that is the work of systemd or Compose.
"""

import os
import signal
import subprocess
import sys
import time

WORKER = (sys.executable, "-m", "django", "db_worker")
PAUSE_SECONDS = 1.0


def main(server: int) -> None:
    """Start a worker again whenever it ends, until its parent, the server, has ended."""
    # Ctrl-C reaches the server and the worker by themselves.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    worker = subprocess.Popen(WORKER)  # noqa: S603
    while os.getppid() == server:
        time.sleep(PAUSE_SECONDS)
        if worker.poll() is not None:
            worker = subprocess.Popen(WORKER)  # noqa: S603
    worker.terminate()
    worker.wait()


if __name__ == "__main__":
    main(int(sys.argv[1]))
