"""Where and with what it was measured, in lines to print."""

import os
import platform
import re
import sqlite3
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import psycopg
import redis

from tests.benchmarks.places import Place
from tests.server import connection_of

PACKAGES = (
    "django",
    "djangorestframework",
    "psycopg",
    "limits",
    "gunicorn",
    "django-rest-knox",
    "djangorestframework-api-key",
)


def described(places: list[Place]) -> Iterator[str]:
    """The machine, versions and settings."""
    yield f"Machine: {processor()}, {len(os.sched_getaffinity(0))} cores, {platform.platform()}"
    versions = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    yield f"Python {platform.python_version()}, {versions}, SQLite {sqlite3.sqlite_version}"
    for place in places:
        if place.is_postgres:
            with psycopg.connect(**connection_of(f"{place.root}/postgres")) as connection:
                shown = ("server_version", "fsync", "synchronous_commit", "shared_buffers")
                values = [connection.execute(f"SHOW {name}".encode()).fetchone() for name in shown]
            settings = [f"{name} {value}" for name, (value,) in zip(shown, filter(None, values), strict=True)]
            yield f"PostgreSQL {', '.join(settings)}, over a socket"
        if place.redis_url:
            with redis.Redis.from_url(place.redis_url) as client:
                info = client.info("server")
            yield f"Valkey {info.get('valkey_version', info['redis_version'])}, over a socket"
    yield (
        "Settings: as in production (DEBUG off, usage written every second, limits counted but not reached); "
        "the peers' connections to the database are set up as ours are; clients ask for no compression; "
        "with usage recording off, it is counted and not written"
    )


def processor() -> str:
    """The processor's name, where the system tells."""
    try:
        found = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    except OSError:
        found = None
    return found[1] if found else platform.machine()
