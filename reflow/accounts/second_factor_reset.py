"""Remove second factors for a person who has lost them: it is in the account's history, and they are told."""

import logging

from allauth.mfa.models import Authenticator
from allauth.usersessions.adapter import get_adapter
from allauth.usersessions.models import UserSession
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet

from reflow.accounts import emails

logger = logging.getLogger(__name__)

Type = Authenticator.Type
NAMES = {Type.TOTP: "authenticator app", Type.WEBAUTHN: "passkey", Type.RECOVERY_CODES: "recovery codes"}


def remove_second_factors(
    user: User,
    authenticators: "QuerySet[Authenticator]",
    *,
    by: User | None = None,
    kept_session: str | None = None,
) -> str:
    """Remove these authenticators of the user, and recovery codes that are left alone; return their names.

    ``by`` is an operator, or None on the command line. All sessions of the user but the kept one are ended.
    """
    with transaction.atomic():
        removed = list(authenticators.filter(user=user))
        own = Authenticator.objects.filter(user=user)
        own.filter(pk__in=[authenticator.pk for authenticator in removed]).delete()
        if not own.exclude(type=Type.RECOVERY_CODES).exists():
            removed += own
            own.delete()
        names = ", ".join(sorted({NAMES[authenticator.type] for authenticator in removed}))
        if names:
            where = "in the admin" if by else "on the command line"
            sentence = f"Second factor removed {where}: {names}."
            # An entry has to name a person: on the command line, it is the account's own.
            LogEntry.objects.log_actions((by or user).pk, [user], CHANGE, sentence)
            logger.warning("The second factor of account %s was removed %s: %s", user.pk, where, names)
            emails.queue_notification(
                "mfa/email/second_factor_removed", user, {"email": user.email, "removed": names}
            )
            get_adapter().end_sessions(
                UserSession.objects.filter(user=user).exclude(session_key=kept_session)
            )
    return names
