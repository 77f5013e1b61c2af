#!/usr/bin/env python
"""Django's commands: ``python manage.py help`` lists them."""

import io
import os
import sys

from django.core.management import execute_from_command_line


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "reflow.settings")
    # A name that the terminal cannot show is shown by the numbers of its characters, not by a traceback.
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
