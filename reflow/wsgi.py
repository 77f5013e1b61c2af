"""The WSGI application that a production server runs: ``reflow.wsgi:application``."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "reflow.settings")

application = get_wsgi_application()
