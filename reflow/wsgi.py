"""The WSGI application that a production server runs: ``reflow.wsgi:application``."""

import gc
import os

from django.core.signals import request_started
from django.core.wsgi import get_wsgi_application
from django.db.backends.signals import connection_created

from reflow.server.database import close_ended_connections, configure_connection
from reflow.server.wsgi_middleware import readable_requests

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "reflow.settings")

application = readable_requests(get_wsgi_application())
connection_created.connect(configure_connection)
request_started.connect(close_ended_connections)

# What has been loaded by now stays as long as the process: the garbage collector need not look at it again.
gc.collect()
gc.freeze()
