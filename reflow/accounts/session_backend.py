"""Sessions in the database, as Django keeps them, for cookies that could name one."""

from django.contrib.sessions.backends import db


class SessionStore(db.SessionStore):
    def __init__(self, session_key: str | None = None) -> None:
        """Of letters and digits, or none: in quotes, a cookie can hold a NUL that PostgreSQL fails on."""
        could_be_one = session_key and session_key.isascii() and session_key.isalnum()
        super().__init__(session_key if could_be_one else None)
