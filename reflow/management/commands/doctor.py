"""``manage.py doctor``: say on one screen how the site is, and end with a status that is not 0 for red."""

import json
from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError
from django.db import connections

from apikeys import outbox
from reflow.accounts.email_addresses import normalize_email
from reflow.observability.doctor import OF_VARIABLES, OF_WHAT_RUNS, Finding, Light, comes_true, examine

EMAIL_SECONDS = 30
GUIDE = "See reflow/deploy/README.md"


class Command(BaseCommand):
    help = "Examine the site: variables, database, rate limits, e-mail, worker, backup and the machine."
    # It is run where much may be wrong, and says so itself.
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="Print a list of objects.")
        parser.add_argument(
            "--variables",
            action="store_true",
            help="Try only what variables name: before a start or restart.",
        )
        parser.add_argument(
            "--email", metavar="ADDRESS", help="Send an account an e-mail, and wait until it is."
        )

    def handle(self, *, variables: bool, email: str | None, **options: Any) -> None:
        if email:
            self.send_email(email)
            return
        findings = list(examine(OF_VARIABLES if variables else (*OF_VARIABLES, *OF_WHAT_RUNS)))
        connections.close_all()
        if options["json"]:
            self.stdout.write(json.dumps([finding._asdict() for finding in findings], indent=2))
        else:
            for finding in findings:
                self.write_finding(finding)
        if any(finding.light is Light.RED for finding in findings):
            raise SystemExit(1)

    def write_finding(self, finding: Finding) -> None:
        """Write a line, and where the guide helps another one."""
        style = {
            Light.GREEN: self.style.SUCCESS,
            Light.AMBER: self.style.WARNING,
            Light.RED: self.style.ERROR,
        }
        light = style[finding.light](f"{finding.light:6}")
        self.stdout.write(f"{light}{finding.subject:15}{finding.sentence}")
        if finding.help:
            self.stdout.write(f"{'':21}{GUIDE}: {finding.help}")

    def send_email(self, address: str) -> None:
        """Send an e-mail the way of all e-mails: a row, a task, a worker, the mail server."""
        user = User.objects.filter(email=normalize_email(address)).first()
        if user is None:
            raise CommandError(f"There is no account with the e-mail address {address}.")
        email = outbox.compose("E-mail of Reflow works", "An operator asked for this e-mail.", recipient=user)
        outbox.queue_emails([email], priority=outbox.URGENT)

        def is_tried() -> bool:
            email.refresh_from_db()
            return bool(email.sent_at or email.error)

        if not comes_true(is_tried, EMAIL_SECONDS):
            raise CommandError(f"No worker has tried to send it within {EMAIL_SECONDS} seconds.")
        if not email.sent_at:
            raise CommandError(f"It could not be sent: {email.error}.")
        self.stdout.write(f"The mail server took it after {email.sent_at - email.created_at}.")
