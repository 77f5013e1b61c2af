"""``reflow.settings``, with two more routes."""

from reflow.settings import *  # noqa: F403

ROOT_URLCONF = "tests.benchmarks.ours.urls"
