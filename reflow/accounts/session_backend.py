"""Django's database sessions, with checked keys and a short life for visitors."""

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends import db

# A visitor's session holds a sign-in that is under way, such as the challenge for a passkey.
VISITOR_SECONDS = 60 * 60


class SessionStore(db.SessionStore):
    # Set by reflow.accounts.sessions.SessionMiddleware.
    is_of_request = False

    def __init__(self, session_key: str | None = None) -> None:
        """Ignore a key with other characters than letters and digits: PostgreSQL fails on a NUL."""
        is_valid = session_key and session_key.isascii() and session_key.isalnum()
        super().__init__(session_key if is_valid else None)

    def cycle_key(self) -> None:
        """Take a new key, under which the list of a person's sessions goes on finding this one.

        Django does so at a sign-in, and when it renews a session after SECRET_KEY has changed. A session that
        somebody looks at is not renewed: its browser has the key, and would not hear of another.
        """
        if self.is_of_request:
            former = self.session_key
            super().cycle_key()
            UserSession.objects.filter(session_key=former).update(session_key=self.session_key)

    def get_session_cookie_age(self) -> int:
        return settings.SESSION_COOKIE_AGE if SESSION_KEY in self else VISITOR_SECONDS
