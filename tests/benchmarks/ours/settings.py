"""``reflow.settings``, with two more routes."""

from reflow.settings import *  # noqa: F403

ROOT_URLCONF = "tests.benchmarks.ours.urls"
WSGI_APPLICATION = "tests.benchmarks.ours.wsgi.application"
