"""Examinations of a site: what an operator asks at three in the morning, each in a line.

They run in a process of their own, as the site's user, with the site's variables.
"""

import os
import platform
import resource
import shutil
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import django
from django.conf import settings
from django.core.cache import cache
from django.core.mail import get_connection
from django.core.management import call_command
from django.db import connection
from django.db.models import Count, Max, Min, Q
from django.utils import timezone
from django.utils.timesince import timesince

from apikeys.api import rate_limits
from apikeys.models import Email
from apikeys.tasks import task
from reflow import env
from reflow.observability.database_metrics import DAILY, DAILY_OVERDUE
from reflow.server.replicas import Replica, State

BACKUP_METRIC = Path("/var/lib/prometheus/node-exporter/reflow_backup.prom")
BACKUP_OVERDUE = timedelta(hours=26)
CERTIFICATE_DAYS = 14
DISK_AMBER, DISK_RED = 0.85, 0.95
MAX_CLOCK_SECONDS = 2
MIN_FREE_MEMORY = 0.1
MIN_OPEN_FILES = 1024
OVERDUE_EMAIL = timedelta(minutes=15)
PATIENCE_SECONDS = 5


class Light(StrEnum):
    GREEN = "green"
    AMBER = "amber"
    RED = "red"


class Finding(NamedTuple):
    """One line: ``help`` is the part of the guide that helps, blank where nothing is wrong."""

    light: Light
    subject: str
    sentence: str
    help: str = ""


Examination = Callable[[], Iterator[Finding]]


@task()
def answer() -> None:
    """Do nothing: whoever enqueued it sees that a worker runs tasks."""


def examine(examinations: tuple[Examination, ...]) -> Iterator[Finding]:
    """Yield what was found. An examination that fails is a finding, and keeps no other from being made."""
    for examination in examinations:
        subject = examination.__name__.removeprefix("examine_").replace("_", " ")
        try:
            yield from examination()
        except (Exception, SystemExit) as error:
            reason = " ".join(f"{type(error).__name__}: {error}".split())
            yield Finding(Light.RED, subject, reason[:300], "At night")


# What the variables name: tried before anything runs.


def examine_variables() -> Iterator[Finding]:
    from reflow.server import gunicorn  # its variables are read when it is imported

    for name, known in env.find_misspelled(os.environ).items():
        yield Finding(Light.RED, "variables", f"{name} is read by nothing: is it {known}?", "Variables")
    if settings.HTTPS and not os.environ.get("ALLOWED_HOSTS", "").strip():
        yield Finding(
            Light.RED, "variables", "ALLOWED_HOSTS is not set: every request gets a 400.", "Variables"
        )
    if settings.HTTPS and connection.vendor == "sqlite":
        yield Finding(Light.AMBER, "variables", "DATABASE_URL is not set: data is in a file.", "Variables")
    if settings.HTTPS and not settings.REDIS_URL:
        yield Finding(
            Light.AMBER, "variables", "REDIS_URL is not set: one process counts alone.", "Variables"
        )
    if settings.HTTPS and not getattr(settings, "SECURE_PROXY_SSL_HEADER", None):
        yield Finding(Light.RED, "variables", "TRUST_X_FORWARDED_PROTO is not set.", "The proxy")
    if settings.HTTPS and not settings.TRUSTED_PROXIES:
        yield Finding(
            Light.AMBER, "variables", "TRUSTED_PROXIES is not set: all clients count as one.", "The proxy"
        )
    yield Finding(
        Light.GREEN, "variables", f"read: {gunicorn.workers} processes of {gunicorn.threads} threads"
    )


def examine_database() -> Iterator[Finding]:
    began = time.monotonic()
    with connection.cursor() as cursor:
        cursor.execute("SELECT sqlite_version()" if connection.vendor == "sqlite" else "SHOW server_version")
        (version,) = cursor.fetchone()
    milliseconds = (time.monotonic() - began) * 1000
    yield Finding(
        Light.GREEN, "database", f"{connection.display_name} {version} answered in {milliseconds:.0f} ms"
    )


def examine_clock() -> Iterator[Finding]:
    if connection.vendor == "sqlite":
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        (theirs,) = cursor.fetchone()
    seconds = abs((timezone.now() - theirs).total_seconds())
    light = Light.GREEN if seconds < MAX_CLOCK_SECONDS else Light.RED
    yield Finding(
        light, "clock", f"{seconds:.1f} s from the database's", "" if light == "green" else "At night"
    )


def examine_rate_limits() -> Iterator[Finding]:
    where = urlsplit(settings.REDIS_URL).hostname or "the process's memory"
    if rate_limits.limiter().counters.check():
        yield Finding(Light.GREEN, "rate limits", f"counted in {where}")
    else:
        yield Finding(Light.RED, "rate limits", f"off: {where} does not answer", "At night")


def examine_mail_server() -> Iterator[Finding]:
    if not settings.MAIL_SERVER:
        yield Finding(Light.RED, "mail server", "EMAIL_URL is not set: e-mail waits", "E-mail")
        return
    if "console" in settings.EMAIL_BACKEND:
        yield Finding(Light.RED, "mail server", "e-mail is printed into the log", "E-mail")
        return
    server = get_connection(timeout=PATIENCE_SECONDS)
    server.open()
    server.close()
    yield Finding(Light.GREEN, "mail server", f"{settings.EMAIL_HOST} lets the site in")


def examine_metrics_folder() -> Iterator[Finding]:
    from reflow.server import gunicorn

    folder = gunicorn.worker_tmp_dir or "/tmp"  # noqa: S108
    is_writable = os.access(folder, os.W_OK)
    light = Light.GREEN if is_writable else Light.RED
    yield Finding(light, "metrics folder", f"{folder} can{'' if is_writable else 'not'} be written")


# What runs.


def examine_versions() -> Iterator[Finding]:
    release = Path(settings.BASE_DIR).resolve().name
    yield Finding(
        Light.GREEN,
        "versions",
        f"release {release}, Django {django.__version__}, Python {platform.python_version()}",
    )


def examine_migrations() -> Iterator[Finding]:
    try:
        call_command("migrate", check_unapplied=True, verbosity=0)
    except SystemExit:
        yield Finding(Light.RED, "migrations", "some are not applied: run manage migrate", "Upgrade")
    else:
        yield Finding(Light.GREEN, "migrations", "all applied")


def examine_replicas() -> Iterator[Finding]:
    for number in range(1, len(settings.REPLICAS) + 1):
        replica = Replica(f"replica{number}")
        state = replica.check()
        light = Light.GREEN if state is State.OK else Light.RED
        yield Finding(
            light,
            replica.alias,
            f"{state}, {replica.lag:.1f} s behind",
            "" if light == "green" else "At night",
        )


def examine_email() -> Iterator[Finding]:
    waiting = Q(sent_at=None, failed_at=None)
    found = Email.objects.aggregate(
        sent=Max("sent_at"),
        waiting=Count("pk", filter=waiting),
        oldest=Min("created_at", filter=waiting),
        failed=Count("pk", filter=Q(failed_at__gt=timezone.now() - timedelta(days=7))),
    )
    sent = f"last one sent {timesince(found['sent'])} ago" if found["sent"] else "none sent yet"
    sentence = f"{sent}, {found['waiting']} waiting, {found['failed']} given up in 7 days"
    is_late = found["oldest"] and timezone.now() - found["oldest"] > OVERDUE_EMAIL
    light = Light.RED if is_late else Light.AMBER if found["failed"] else Light.GREEN
    yield Finding(light, "e-mail", sentence, "" if light == Light.GREEN else "E-mail")


def examine_worker() -> Iterator[Finding]:
    """Let a worker run a task, and wait for it."""
    result = answer.using(priority=100).enqueue()
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not result.is_finished and time.monotonic() < deadline:
        time.sleep(0.1)
        result.refresh()
    if result.is_finished:
        yield Finding(Light.GREEN, "worker", "runs tasks")
    else:
        yield Finding(Light.RED, "worker", f"ran no task within {PATIENCE_SECONDS} s", "At night")


def examine_daily_work() -> Iterator[Finding]:
    done = cache.get(DAILY)
    if done is None:
        yield Finding(Light.AMBER, "daily work", "not done yet: is reflow-daily.timer on?", "At night")
        return
    ago = timezone.now() - done["at"]
    failed = ", ".join(done["failed"])
    sentence = f"done {timesince(done['at'])} ago" + (f", but for {failed}" if failed else "")
    light = Light.RED if failed or ago > DAILY_OVERDUE else Light.GREEN
    yield Finding(light, "daily work", sentence, "" if light == Light.GREEN else "At night")


def examine_certificate() -> Iterator[Finding]:
    url = urlsplit(settings.SITE_URL)
    if url.scheme != "https" or not url.hostname:
        return
    context = ssl.create_default_context()
    with (
        socket.create_connection((url.hostname, url.port or 443), PATIENCE_SECONDS) as plain,
        context.wrap_socket(plain, server_hostname=url.hostname) as encrypted,
    ):
        certificate = encrypted.getpeercert() or {}
    ends = datetime.fromtimestamp(ssl.cert_time_to_seconds(str(certificate["notAfter"])), UTC)
    days = (ends - timezone.now()).days
    light = Light.GREEN if days >= CERTIFICATE_DAYS else Light.RED
    yield Finding(light, "certificate", f"valid for {days} more days", "" if light == "green" else "At night")


def examine_disk() -> Iterator[Finding]:
    usage = shutil.disk_usage(settings.BASE_DIR)
    full = usage.used / usage.total
    light = Light.RED if full > DISK_RED else Light.AMBER if full > DISK_AMBER else Light.GREEN
    yield Finding(light, "disk", f"{full:.0%} full", "" if light == Light.GREEN else "At night")


def examine_machine() -> Iterator[Finding]:
    """Look at the memory that is left and at how many files a process may open."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    sizes = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
    free = int(sizes["MemAvailable"].split()[0]) / int(sizes["MemTotal"].split()[0])
    is_well = free > MIN_FREE_MEMORY and files >= MIN_OPEN_FILES
    sentence = f"{free:.0%} of the memory is available; a process may open {files} files"
    yield Finding(Light.GREEN if is_well else Light.AMBER, "machine", sentence, "" if is_well else "At night")


def examine_backup() -> Iterator[Finding]:
    if not BACKUP_METRIC.exists():
        yield Finding(Light.AMBER, "backup", "none on this machine by the script backup", "Backups")
        return
    made_at = datetime.fromtimestamp(float(BACKUP_METRIC.read_text().split()[-1]), UTC)
    light = Light.GREEN if timezone.now() - made_at < BACKUP_OVERDUE else Light.RED
    yield Finding(light, "backup", f"made {timesince(made_at)} ago", "" if light == "green" else "Backups")


OF_VARIABLES: tuple[Examination, ...] = (
    examine_variables,
    examine_database,
    examine_clock,
    examine_rate_limits,
    examine_mail_server,
    examine_metrics_folder,
)
OF_WHAT_RUNS: tuple[Examination, ...] = (
    examine_versions,
    examine_migrations,
    examine_replicas,
    examine_email,
    examine_worker,
    examine_daily_work,
    examine_certificate,
    examine_disk,
    examine_machine,
    examine_backup,
)
