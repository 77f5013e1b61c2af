"""``python -m tests.benchmarks.call FUNCTION NUMBER…``: what a function returns, as JSON.

It is named by its path, and runs with the settings of the environment.
"""

import json
import sys

import django
from django.utils.module_loading import import_string

django.setup()
print(json.dumps(import_string(sys.argv[1])(*map(int, sys.argv[2:]))))
