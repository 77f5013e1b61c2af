"""Encryption under SECRET_KEY, for what a browser or the database holds for us."""

import base64

from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings
from django.utils.crypto import salted_hmac


def cipher(purpose: str) -> MultiFernet:
    """Return a cipher for this purpose alone, which also reads what one of SECRET_KEY_FALLBACKS wrote."""
    ciphers = []
    for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        digest = salted_hmac(purpose, b"", secret=secret, algorithm="sha256").digest()
        ciphers.append(Fernet(base64.urlsafe_b64encode(digest)))
    return MultiFernet(ciphers)
