"""The settings of production, but for files of its own, for a mail server that is given up on soon, and for
passwords: to hash one takes half a second of a core, which none of these tests is about.
"""

import os
from datetime import timedelta
from pathlib import Path

from reflow.settings import *  # noqa: F403

# Another process may be collecting files into the usual folder, and takes each away for a moment.
STATIC_ROOT = Path(os.environ["STATIC_FOLDER"])
# As long as a test may hold an e-mail, on a machine that is busy.
EMAIL_TIMEOUT = int(os.environ.get("EMAIL_SECONDS", "60"))
# Of an attempt that fails at its first step, as those of the tests do, one takes a second.
EMAIL_RETRY_PAUSES = [timedelta(seconds=3)] * 20
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
