"""``manage.py db_worker``: run background tasks, and wait while the database is away."""

import logging
import time
from typing import Any

from django.db import Error, InterfaceError, OperationalError, connection
from django_tasks_db.management.commands import db_worker

logger = logging.getLogger(__name__)

PAUSE_SECONDS = 2.0


class Command(db_worker.Command):
    """The worker of django-tasks-db, which would end with a traceback whenever the database restarts."""

    def handle(self, *args: Any, **options: Any) -> None:
        while True:
            try:
                super().handle(*args, **options)
            except (InterfaceError, OperationalError) as error:
                logger.error("Background tasks wait: the database is away (%s)", " ".join(str(error).split()))  # noqa: TRY400
                wait_for_database()
                logger.warning("Background tasks are run again")
            else:
                return


def wait_for_database() -> None:
    while True:
        try:
            connection.close()
            connection.ensure_connection()
        except Error:
            time.sleep(PAUSE_SECONDS)
        else:
            return
