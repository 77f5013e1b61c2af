"""The application of ``reflow.wsgi``, with these settings."""

import os

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.benchmarks.ours.settings"

from reflow.wsgi import application

__all__ = ["application"]
