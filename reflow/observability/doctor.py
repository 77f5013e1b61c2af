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
from collections.abc import Callable, Iterable, Iterator
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
from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.utils import timezone
from django.utils.timesince import timesince

from apikeys.api import rate_limits
from apikeys.tasks import task
from reflow import env
from reflow.observability.database_metrics import OVERDUE, summarize_emails
from reflow.server.replicas import Replica, State, read_row

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
    """One line. ``help`` is the part of the guide that helps, blank where nothing is wrong."""

    light: Light
    subject: str
    sentence: str
    help: str


class Examination(NamedTuple):
    """``examine`` yields lights, each with a sentence; ``help`` is the guide's heading or row about it."""

    subject: str
    examine: Callable[[], Iterator[tuple[Light, str]]]
    help: str


@task()
def answer() -> None:
    """Do nothing: whoever enqueued it sees that a worker runs tasks."""


def examine(examinations: Iterable[Examination]) -> Iterator[Finding]:
    """Yield what was found. An examination that fails is a finding, and keeps no other from being made."""
    for examination in examinations:
        try:
            for light, sentence in examination.examine():
                shown = "" if light is Light.GREEN else examination.help
                yield Finding(light, examination.subject, sentence, shown)
        except Exception as error:
            reason = " ".join(str(error).split()) or type(error).__name__
            yield Finding(Light.RED, examination.subject, reason[:300], examination.help)


def red_unless(is_well: object) -> Light:
    return Light.GREEN if is_well else Light.RED


def comes_true(is_true: Callable[[], bool], seconds: float) -> bool:
    """Return whether it is so within so many seconds."""
    deadline = time.monotonic() + seconds
    while not (found := is_true()) and time.monotonic() < deadline:
        time.sleep(0.1)
    return found


# What the variables name: tried before anything runs.


def examine_variables() -> Iterator[tuple[Light, str]]:
    from reflow.server import gunicorn  # its variables are read when it is imported

    yield Light.GREEN, f"read: {gunicorn.workers} processes of {gunicorn.threads} threads"
    for name, known in env.find_misspelled(os.environ).items():
        yield Light.RED, f"{name} is read by nothing: is it {known}?"
    if not settings.HTTPS:
        return
    if not os.environ.get("ALLOWED_HOSTS", "").strip():
        yield Light.RED, "ALLOWED_HOSTS is not set: every request gets a 400."
    if not getattr(settings, "SECURE_PROXY_SSL_HEADER", None):
        yield Light.RED, "TRUST_X_FORWARDED_PROTO is not set."
    if not settings.TRUSTED_PROXIES:
        yield Light.AMBER, "TRUSTED_PROXIES is not set: all clients count as one."


def examine_database() -> Iterator[tuple[Light, str]]:
    began = time.monotonic()
    query = "SELECT sqlite_version()" if connection.vendor == "sqlite" else "SHOW server_version"
    (version,) = read_row(DEFAULT_DB_ALIAS, query)
    milliseconds = (time.monotonic() - began) * 1000
    yield Light.GREEN, f"{connection.display_name} {version} answered in {milliseconds:.0f} ms"


def examine_replicas() -> Iterator[tuple[Light, str]]:
    """Compare each with the primary, which does the work of one that is behind."""
    for alias in connections:
        if alias == DEFAULT_DB_ALIAS:
            continue
        replica = Replica(alias)
        # A look finds it behind by what was written that very moment: it has the time to catch up.
        comes_true(lambda check=replica.check: check() is not State.BEHIND, PATIENCE_SECONDS)  # type: ignore[misc]
        state = replica.check()
        lag = f", {replica.lag:.1f} s behind" if state is State.OK else ""
        # The primary takes its place until it has caught up.
        is_late = state in {State.BEHIND, State.OLDER_SCHEMA}
        yield Light.AMBER if is_late else red_unless(state is State.OK), f"{alias} is {state}{lag}"


def examine_clock() -> Iterator[tuple[Light, str]]:
    if connection.vendor == "sqlite":
        return
    (theirs,) = read_row(DEFAULT_DB_ALIAS, "SELECT clock_timestamp()")
    seconds = abs((timezone.now() - theirs).total_seconds())
    yield red_unless(seconds < MAX_CLOCK_SECONDS), f"{seconds:.1f} s from the database's"


def examine_rate_limits() -> Iterator[tuple[Light, str]]:
    servers = rate_limits.limiter().counters.servers()
    for name, answers in servers.items():
        yield (
            red_unless(answers),
            f"counted in {name}" if answers else f"off: {name} does not answer as it should",
        )
    if not servers:
        yield Light.GREEN, "counted in the process's memory"


def examine_mail_server() -> Iterator[tuple[Light, str]]:
    if not settings.MAIL_SERVER:
        yield Light.RED, "EMAIL_URL is not set: e-mail waits"
    elif "console" in settings.EMAIL_BACKEND:
        yield Light.RED, "e-mail is printed into the log"
    else:
        server = get_connection(timeout=PATIENCE_SECONDS)
        server.open()
        server.close()
        yield Light.GREEN, f"{settings.EMAIL_HOST} lets the site in"


def examine_metrics_folder() -> Iterator[tuple[Light, str]]:
    from reflow.server import gunicorn

    folder = gunicorn.worker_tmp_dir or "/tmp"  # noqa: S108
    is_writable = os.access(folder, os.W_OK)
    yield red_unless(is_writable), f"{folder} can{'' if is_writable else 'not'} be written"


# What runs.


def examine_versions() -> Iterator[tuple[Light, str]]:
    release = Path(settings.BASE_DIR).resolve().name
    python = platform.python_version()
    yield Light.GREEN, f"release {release}, Django {django.__version__}, Python {python}"


def examine_migrations() -> Iterator[tuple[Light, str]]:
    try:
        call_command("migrate", check_unapplied=True, verbosity=0)
    except SystemExit:
        yield Light.RED, "some are not applied: run manage migrate"
    else:
        yield Light.GREEN, "all applied"


def examine_email() -> Iterator[tuple[Light, str]]:
    found = summarize_emails(failed_since=timezone.now() - timedelta(days=7))
    sent = f"last one sent {timesince(found['sent'])} ago" if found["sent"] else "none sent yet"
    is_late = found["oldest"] and timezone.now() - found["oldest"] > OVERDUE_EMAIL
    light = Light.RED if is_late else Light.AMBER if found["failed"] else Light.GREEN
    yield light, f"{sent}, {found['waiting']} waiting, {found['failed']} given up in 7 days"


def examine_worker() -> Iterator[tuple[Light, str]]:
    """Let a worker run a task, and wait for it."""
    result = answer.using(priority=100).enqueue()

    def has_run() -> bool:
        result.refresh()
        return result.is_finished

    if comes_true(has_run, PATIENCE_SECONDS):
        yield Light.GREEN, "runs tasks"
    else:
        yield Light.RED, f"ran no task within {PATIENCE_SECONDS} s"


def examine_timed_work() -> Iterator[tuple[Light, str]]:
    for name, overdue in OVERDUE.items():
        done = cache.get(name)
        if done is None:
            yield Light.AMBER, f"{name}: not done yet, is reflow-{name}.timer on?"
            continue
        failed = ", ".join(done["failed"])
        is_late = timezone.now() - done["at"] > overdue
        sentence = f"{name}: done {timesince(done['at'])} ago" + (f", but for {failed}" if failed else "")
        yield red_unless(not failed and not is_late), sentence


def examine_certificate() -> Iterator[tuple[Light, str]]:
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
    yield red_unless(days >= CERTIFICATE_DAYS), f"valid for {days} more days"


def examine_disk() -> Iterator[tuple[Light, str]]:
    usage = shutil.disk_usage(settings.BASE_DIR)
    full = usage.used / usage.total
    light = Light.RED if full > DISK_RED else Light.AMBER if full > DISK_AMBER else Light.GREEN
    yield light, f"{full:.0%} full"


def examine_machine() -> Iterator[tuple[Light, str]]:
    """Look at the memory that is left and at how many files a process may open."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    sizes = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
    free = int(sizes["MemAvailable"].split()[0]) / int(sizes["MemTotal"].split()[0])
    light = Light.GREEN if free > MIN_FREE_MEMORY and files >= MIN_OPEN_FILES else Light.AMBER
    yield light, f"{free:.0%} of the memory is available; a process may open {files} files"


def examine_backup() -> Iterator[tuple[Light, str]]:
    if not BACKUP_METRIC.exists():
        yield Light.AMBER, "none on this machine by the script backup"
        return
    made_at = datetime.fromtimestamp(float(BACKUP_METRIC.read_text().split()[-1]), UTC)
    yield red_unless(timezone.now() - made_at < BACKUP_OVERDUE), f"made {timesince(made_at)} ago"


OF_VARIABLES = (
    Examination("variables", examine_variables, "Variables"),
    Examination("database", examine_database, "Everything answers 503 with `Retry-After`"),
    Examination("replicas", examine_replicas, "`reflow_replica_used` is 0"),
    Examination("clock", examine_clock, "The clock is wrong"),
    Examination("rate limits", examine_rate_limits, "A log line says that rate limits are off"),
    Examination("mail server", examine_mail_server, "E-mail"),
    Examination("metrics folder", examine_metrics_folder, "Watch"),
)
OF_WHAT_RUNS = (
    Examination("versions", examine_versions, "Upgrade"),
    Examination("migrations", examine_migrations, "Upgrade"),
    Examination("email", examine_email, "E-mail does not arrive"),
    Examination("worker", examine_worker, "E-mail does not arrive"),
    Examination("timed work", examine_timed_work, "Daily or hourly work failed, or was not done"),
    Examination("certificate", examine_certificate, "The certificate ends soon"),
    Examination("disk", examine_disk, "A disk fills up"),
    Examination("machine", examine_machine, "Memory or open files run out"),
    Examination("backup", examine_backup, "Backups"),
)
