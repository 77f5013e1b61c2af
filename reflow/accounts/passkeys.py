"""Forms that take a passkey. allauth's fail on much that no browser sends, but a program can."""

from typing import Any

from allauth.mfa.webauthn import forms as theirs
from django import forms
from fido2.webauthn import AuthenticationResponse, RegistrationResponse


class CredentialField(forms.JSONField):
    """What a browser says of a passkey, as JSON, where fido2 can read it."""

    widget = forms.HiddenInput

    def __init__(self, kind: type[AuthenticationResponse] | type[RegistrationResponse]) -> None:
        super().__init__()
        self.kind = kind

    def to_python(self, value: Any) -> Any:
        try:
            credential = super().to_python(value)
            self.kind.from_dict(credential)
        except Exception as error:  # JSON, base64, CBOR and keys, and each fails in its own way
            raise forms.ValidationError("No passkey was used. Try again.") from error
        return credential


class AddForm(theirs.AddWebAuthnForm):
    credential = CredentialField(RegistrationResponse)


class SignInForm(theirs.LoginWebAuthnForm):
    credential = CredentialField(AuthenticationResponse)


class SecondStepForm(theirs.AuthenticateWebAuthnForm):
    credential = CredentialField(AuthenticationResponse)


class ReauthenticateForm(theirs.ReauthenticateWebAuthnForm):
    credential = CredentialField(AuthenticationResponse)
