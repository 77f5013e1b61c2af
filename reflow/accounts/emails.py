"""E-mails about somebody's account: how to choose a new password, and what was changed."""

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, User
from django.contrib.auth.tokens import default_token_generator
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.http import int_to_base36

from apikeys import outbox
from apikeys.models import Email
from apikeys.tasks import task


@task()
def send_password_reset(email_id: int, attempt: int) -> None:
    """Send an e-mail with a link that chooses a new password. The link is made now, and kept nowhere."""
    outbox.attempt_email(
        email_id, attempt, send_task=send_password_reset, make_link_path=make_password_reset_path
    )


def queue_password_reset(email: str) -> None:
    """Queue an e-mail to whoever has this normalized address, in as many queries as for nobody's."""
    emails = [
        _compose(
            "account/email/password_reset_key",
            {"email": email},
            recipient=user,
            link_text="Choose a new password",
        )
        for user in User.objects.filter(email=email, is_active=True) or [None]
    ]
    outbox.queue_emails(emails, send_task=send_password_reset, priority=outbox.URGENT)


def queue_notification(template_prefix: str, user: AbstractBaseUser, context: dict[str, Any]) -> None:
    """Queue an e-mail that tells a person what was changed about their account."""
    link = {"link_text": "Open your account", "link_path": reverse("mfa_index")}
    outbox.queue_emails([_compose(template_prefix, context, recipient=user, **link)], priority=outbox.URGENT)


def queue_email_changed(user: User, *, former: str) -> None:
    """Tell a person at both addresses that an operator has changed the one they sign in with."""
    context = {"former": former, "email": user.email}
    emails = [
        _compose("account/email/email_changed", context, recipient=user, address=address)
        for address in (former, user.email)
        if address
    ]
    outbox.queue_emails(emails, priority=outbox.URGENT)


def make_password_reset_path(email: Email) -> str:
    """Return the path that lets the recipient choose a new password, once and for a limited time."""
    user = email.recipient
    if user is None:
        raise ValueError("Nobody has this address")
    key = default_token_generator.make_token(user)
    return reverse("account_reset_password_from_key", kwargs={"uidb36": int_to_base36(user.pk), "key": key})


def _compose(template_prefix: str, context: dict[str, Any], **fields: Any) -> Email:
    """Return an unsaved e-mail from allauth's pair of templates."""
    context = {**context, "site": urlsplit(settings.SITE_URL).netloc}
    return outbox.compose(
        render_to_string(f"{template_prefix}_subject.txt", context),
        render_to_string(f"{template_prefix}_message.txt", context),
        **fields,
    )
