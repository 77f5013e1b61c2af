"""The settings of production, with a mail server that is given up on soon and asked again soon."""

from datetime import timedelta

from reflow.settings import *  # noqa: F403

EMAIL_TIMEOUT = 1
# Of an attempt that fails at its first step, as those of the tests do, one takes a second.
EMAIL_RETRY_PAUSES = [timedelta(seconds=3)] * 20
