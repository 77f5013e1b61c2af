"""Authenticator apps, recovery codes and passkeys, with their secrets encrypted in the database."""

import base64
import logging
import secrets
from typing import TYPE_CHECKING

from allauth.mfa.adapter import DefaultMFAAdapter
from cryptography.fernet import InvalidToken, MultiFernet

from apikeys import encryption

if TYPE_CHECKING:
    from allauth.mfa.models import Authenticator
    from django.contrib.auth.models import User

logger = logging.getLogger(__name__)


class SecondFactorAdapter(DefaultMFAAdapter):
    error_messages = DefaultMFAAdapter.error_messages | {
        "incorrect_code": "The code is wrong or has been used already. Try again."
    }

    def encrypt(self, text: str) -> str:
        return cipher().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """Return the secret, or a random one if no SECRET_KEY decrypts it, so that no code is right."""
        try:
            return cipher().decrypt(encrypted_text).decode()
        except InvalidToken:
            logger.exception("A second factor cannot be read: SECRET_KEY_FALLBACKS lacks its key")
            return base64.b32encode(secrets.token_bytes(20)).decode()

    def generate_authenticator_name(self, user: "User", type: "Authenticator.Type") -> str:  # noqa: A002
        return "Passkey"


def cipher() -> MultiFernet:
    """Return the cipher that the secrets of second factors are kept under."""
    return encryption.cipher("reflow.second_factor")
