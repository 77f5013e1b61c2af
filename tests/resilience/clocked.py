"""The site's own server, in workers whose clock jumps: an hour on at SIGUSR2, an hour back at SIGURG."""

import signal
from datetime import UTC, datetime
from typing import Any

import time_machine

from reflow.server.gunicorn import *  # noqa: F403

HOUR = 60 * 60


def post_worker_init(worker: Any) -> None:  # type: ignore[no-redef]  # instead of measuring the worker
    clock = time_machine.travel(datetime.now(UTC), tick=True).start()
    signal.signal(signal.SIGUSR2, lambda *_: clock.shift(HOUR))
    signal.signal(signal.SIGURG, lambda *_: clock.shift(-HOUR))
