"""``manage.py doctor``: each fault is a line, in its colour, and a red one is a status that is not 0."""

import json
import shutil
import time
from collections import namedtuple
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from apikeys import outbox
from apikeys.api import rate_limits
from apikeys.models import Email
from reflow.management.commands import daily, hourly
from reflow.management.commands import doctor as command
from reflow.observability import doctor
from reflow.observability.doctor import OF_VARIABLES, OF_WHAT_RUNS, Examination, Finding
from tests.conftest import deliver_emails

pytestmark = pytest.mark.django_db

EXAMINATIONS = {one.subject: one for one in (*OF_VARIABLES, *OF_WHAT_RUNS)}


@pytest.fixture(autouse=True)
def _production(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.HTTPS = True
    settings.TRUSTED_PROXIES = ["127.0.0.1"]
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    monkeypatch.setenv("ALLOWED_HOSTS", "api.example.com")
    monkeypatch.setattr(doctor, "PATIENCE_SECONDS", 0.3)


def find(subject: str) -> Finding:
    """Return the worst that an examination finds."""
    examination = EXAMINATIONS[subject]
    return max(doctor.examine([examination]), key=lambda finding: list(doctor.Light).index(finding.light))


def test_a_misspelled_variable_is_red(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DATABSE_URL", "HTTPS_PROXY", "HOSTNAME", "POSTGRES_PASSWORD", "SITE"):
        monkeypatch.setenv(name, "a value that may be secret")
    red = [found.sentence for found in doctor.examine([EXAMINATIONS["variables"]]) if found.light == "red"]
    assert red == ["DATABSE_URL is read by nothing: is it DATABASE_URL?"]


def test_allowed_hosts_that_are_missing_are_red(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ALLOWED_HOSTS")
    assert find("variables").sentence.startswith("ALLOWED_HOSTS is not set")


def test_a_mail_server_that_is_not_there_is_red(settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    finding = find("mail server")
    assert (finding.light, finding.subject) == ("red", "mail server")
    assert "refused" in finding.sentence


@pytest.mark.parametrize(
    ("backend", "server"),
    [("django.core.mail.backends.locmem.EmailBackend", {}),
     ("django.core.mail.backends.console.EmailBackend", {"x": 1})],
)  # fmt: skip
def test_e_mail_that_would_reach_nobody_is_red(backend: str, server: Any, settings: Any) -> None:
    settings.MAIL_SERVER, settings.EMAIL_BACKEND = server, backend
    assert find("mail server").light == "red"


def test_counters_that_do_not_answer_are_red(monkeypatch: pytest.MonkeyPatch) -> None:
    servers = {"10.0.0.31:6379": True, "10.0.0.32:6379": False}
    monkeypatch.setattr(rate_limits.limiter().counters, "servers", lambda: servers)
    assert find("rate limits").sentence == "off: 10.0.0.32:6379 does not answer as it should"


def test_a_worker_is_seen_by_a_task_that_it_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    assert find("worker").light == "red"
    DBTaskResult.objects.all().delete()

    def run_task(_: float) -> None:
        DBTaskResult.objects.get(status="READY").set_successful(None)

    monkeypatch.setattr(doctor, "time", SimpleNamespace(monotonic=time.monotonic, sleep=run_task))
    monkeypatch.setattr(doctor, "PATIENCE_SECONDS", 30)
    assert find("worker").sentence == "runs tasks"


def test_e_mail_that_waits_for_long_is_red_and_one_that_was_given_up_amber(owner: User) -> None:
    outbox.queue_emails([outbox.compose("A subject", "A text", recipient=owner)])
    assert find("email").light == "green"
    Email.objects.update(created_at=timezone.now() - timedelta(minutes=16))
    assert find("email").light == "red"
    Email.objects.update(failed_at=timezone.now())
    assert find("email").light == "amber"


@pytest.mark.parametrize(("module", "hours"), [(daily, 26), (hourly, 3)])
def test_timed_work_that_was_not_done_or_failed_is_seen(
    module: Any, hours: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = []

    def works() -> None:
        done.append("works")

    def breaks() -> None:
        raise ZeroDivisionError

    def found(name: str) -> tuple[str, str]:
        timed = doctor.examine([EXAMINATIONS["timed work"]])
        (light, sentence) = next((one.light, one.sentence) for one in timed if one.sentence.startswith(name))
        return light, sentence

    name = module.__name__.rpartition(".")[2]
    cache.clear()
    assert found(name) == ("amber", f"{name}: not done yet, is reflow-{name}.timer on?")
    monkeypatch.setattr(module, "STEPS", ())
    call_command(name)
    assert found(name)[0] == "green"
    cache.set(name, {"at": timezone.now() - timedelta(hours=hours, minutes=1), "failed": []})
    assert found(name)[0] == "red"
    monkeypatch.setattr(module, "STEPS", (breaks, works))
    with pytest.raises(CommandError, match="breaks failed"):
        call_command(name)
    assert done == ["works"]
    assert found(name)[1].endswith("but for breaks")


def test_a_backup_that_is_missing_or_old_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    metric = tmp_path / "backup.prom"
    monkeypatch.setattr(doctor, "BACKUP_METRIC", metric)
    lights = [find("backup").light]
    for hours in (25, 27):
        at = timezone.now() - timedelta(hours=hours)
        metric.write_text(f"reflow_backup_last_success_seconds {at.timestamp():.0f}\n")
        lights.append(find("backup").light)
    assert lights == ["amber", "green", "red"]


def test_a_disk_that_fills_up_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    for used, light in ((50, "green"), (86, "amber"), (96, "red")):
        monkeypatch.setattr(shutil, "disk_usage", lambda _, used=used: usage(100, used, 100 - used))
        assert find("disk").light == light


def test_what_cannot_be_examined_is_red_and_keeps_nothing_else_from_being(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def breaks() -> Any:
        raise ConnectionRefusedError("nobody\nlistens")

    broken = Examination("server", breaks, "At night")
    monkeypatch.setattr(command, "OF_VARIABLES", (broken, EXAMINATIONS["database"]))
    with pytest.raises(SystemExit) as ended:
        call_command("doctor", variables=True, json=True)
    assert ended.value.code == 1
    server, database = json.loads(capsys.readouterr().out)
    assert server == {
        "light": "red",
        "subject": "server",
        "sentence": "nobody listens",
        "help": "At night",
    }
    assert database["light"] == "green"


def test_an_e_mail_to_try_goes_the_way_of_all_e_mails(
    owner: User, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = SimpleNamespace(monotonic=time.monotonic, sleep=lambda _: deliver_emails())
    monkeypatch.setattr(doctor, "time", clock)
    call_command("doctor", email=owner.email)
    assert "The mail server took it" in capsys.readouterr().out
    assert [message.to for message in deliver_emails()] == [[owner.email]]


def test_an_e_mail_to_try_that_no_worker_sends_is_an_error(
    owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "EMAIL_SECONDS", 0.3)
    with pytest.raises(CommandError, match="No worker has tried"):
        call_command("doctor", email=owner.email)
