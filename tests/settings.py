"""The settings that tests, lint and type checks run with: the same for everybody, whatever .env holds."""

import os
import secrets
import tempfile
from pathlib import Path

# Removed when the process ends, with whatever a test has left in it.
FOLDER = tempfile.TemporaryDirectory(prefix="reflow-tests-")
TEMPORARY = Path(FOLDER.name)

os.environ.update(
    ENV_FILE=os.devnull,
    SECRET_KEY=secrets.token_urlsafe(50),
    HTTPS="false",
    SITE_URL="http://testserver",
    DEBUG="false",
    # `python -m tests.postgres` names its server here. SQLite is used as in production, in a file:
    # in memory, it has other rules for two threads at once.
    DATABASE_URL=os.environ.get("SUITE_DATABASE_URL", f"sqlite:///{TEMPORARY / 'unused.sqlite3'}"),
    # The test runner takes the place of the mail server.
    EMAIL_URL="smtp://localhost:1",
    # Usage is written before the answer, so that no thread writes into the next test.
    USAGE_FLUSH_SECONDS="0",
    # Playwright keeps an event loop in the thread of the tests; their queries do not wait on it.
    DJANGO_ALLOW_ASYNC_UNSAFE="true",
)
for name in (
    *("ALLOWED_HOSTS", "CSRF_TRUSTED_ORIGINS", "DATABASE_REPLICA_URL", "LOG_LEVEL"),
    "TRUST_X_FORWARDED_PROTO",
):
    os.environ.pop(name, None)

from reflow.settings import *  # noqa: E402, F403
from reflow.settings import CACHES, DATABASES, STORAGES  # noqa: E402
from tests.postgres import TEMPLATE  # noqa: E402

if "SUITE_DATABASE_URL" not in os.environ:
    DATABASES["default"]["TEST"] = {"NAME": str(TEMPORARY / "test.sqlite3")}
    # Fifty threads that write at once queue for longer than in production where the machine is busy.
    DATABASES["default"]["OPTIONS"]["timeout"] = 120
elif "TEST_DATABASE_URL" not in os.environ:
    DATABASES["default"]["TEST"] = {"TEMPLATE": TEMPLATE}

# Deliberately slow in production.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

# In production a table: some fifty queries a sign-in. The tests that are about it use that.
CACHES["default"] = {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}

# Only the tests in a browser collect the static files, and use them as production does.
STATIC_ROOT = TEMPORARY / "static"
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
