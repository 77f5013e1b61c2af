"""Forms for passkeys that refuse malformed credentials; allauth's own fail on them."""

from typing import Any

from allauth.mfa.webauthn import forms
from django.forms import HiddenInput, JSONField, ValidationError
from fido2.webauthn import AuthenticationResponse, RegistrationResponse


class CredentialField(JSONField):
    """A passkey's response as a browser sends it, in JSON that fido2 can parse."""

    widget = HiddenInput

    def __init__(self, response_class: type[AuthenticationResponse] | type[RegistrationResponse]) -> None:
        super().__init__()
        self.response_class = response_class

    def to_python(self, value: Any) -> Any:
        try:
            credential = super().to_python(value)
            self.response_class.from_dict(credential)
        except Exception as error:  # JSON, base64, CBOR and keys each raise their own
            raise ValidationError("No passkey was used. Try again.") from error
        return credential


class AddForm(forms.AddWebAuthnForm):
    credential = CredentialField(RegistrationResponse)
    # Nobody is asked: the browser makes a passkey that signs in by itself wherever it can.
    passwordless = None


class SignInForm(forms.LoginWebAuthnForm):
    credential = CredentialField(AuthenticationResponse)


class SecondFactorForm(forms.AuthenticateWebAuthnForm):
    credential = CredentialField(AuthenticationResponse)


class ReauthenticateForm(forms.ReauthenticateWebAuthnForm):
    credential = CredentialField(AuthenticationResponse)
