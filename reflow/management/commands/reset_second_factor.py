"""``manage.py reset_second_factor``: for somebody who can no longer prove who they are."""

from typing import Any

from allauth.mfa.models import Authenticator
from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser

from reflow.accounts.email_addresses import normalize_email
from reflow.accounts.second_factor_reset import remove_second_factors


class Command(BaseCommand):
    help = (
        "Remove the authenticator app, the recovery codes and the passkeys of a person, who then signs in "
        "with the password alone. They are signed out everywhere and told by e-mail."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email", help="what the person signs in with")

    def handle(self, *, email: str, **options: Any) -> None:
        user = User.objects.filter(email=normalize_email(email)).first()
        if user is None:
            raise CommandError(f"There is no account with the e-mail address {email}.")
        removed = remove_second_factors(user, Authenticator.objects.all())
        if not removed:
            raise CommandError(f"{user.email} has no second factor.")
        self.stdout.write(f"Removed: {removed}. {user.email} signs in with the password alone.")
