"""Django's database sessions, with checked keys and a short life for visitors."""

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends import db

# A visitor's session holds a sign-in that is under way, such as the challenge for a passkey.
VISITOR_SECONDS = 60 * 60


class SessionStore(db.SessionStore):
    def __init__(self, session_key: str | None = None) -> None:
        """Ignore a key with other characters than letters and digits: PostgreSQL fails on a NUL."""
        is_valid = session_key and session_key.isascii() and session_key.isalnum()
        super().__init__(session_key if is_valid else None)

    def get_session_cookie_age(self) -> int:
        return settings.SESSION_COOKIE_AGE if SESSION_KEY in self else VISITOR_SECONDS
