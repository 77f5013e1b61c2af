"""What owners fill in on the settings page. A form checks what was typed, then calls apikeys.lifecycle."""

from datetime import UTC, datetime, time, timedelta
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils import timezone

from apikeys import client_ip, lifecycle
from apikeys.actors import Actor
from apikeys.formats import exact_time
from apikeys.lifecycle import NameTaken, StaleKey, StoreSuspended
from apikeys.models import ApiKey
from apikeys.validators import clean_key_name, validate_no_key
from stores.models import Store
from stores.names import visible_part
from stores.resources import SCOPES, Access, Resource

MAX_ADDRESSES = 50
NAME_TAKEN = "Another key of this store has this name. Choose a different one."


class KeyForm(forms.Form):
    """Name, note, expiry and resource access: what Add and Edit have in common."""

    EXPIRIES = (
        ("30", "30 days"),
        ("60", "60 days"),
        ("90", "90 days"),
        ("365", "1 year"),
        ("date", "On a date"),
        ("never", "No expiry"),
    )
    # What programs of a kind usually need. The last one gets a caution.
    PRESETS: ClassVar = {
        "Read everything": [scope for scope in SCOPES if scope.endswith(":read")],
        "Storefront": ["products:read", "categories:read"],
        "Fulfilment": ["products:read", "orders:read", "orders:write", "customers:read"],
        "Accounting": ["orders:read", "customers:read", "coupons:read"],
        "Full access": list(SCOPES),
    }

    name = forms.CharField(max_length=100, error_messages={"required": "Enter a name."})
    note = forms.CharField(max_length=500, required=False, validators=[validate_no_key])
    expiry = forms.ChoiceField(choices=EXPIRIES, initial="90")
    expiry_date = forms.DateField(required=False, widget=forms.DateInput({"type": "date"}, "%Y-%m-%d"))
    access = forms.MultipleChoiceField(
        choices=[(scope, scope) for scope in SCOPES],
        error_messages={
            "required": "Choose at least one resource.",
            "invalid_choice": "There is no access called %(value)s.",
        },
    )
    allowed_addresses = forms.CharField(required=False, max_length=2000)

    def __init__(self, *args: Any, store: Store, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.store = store

    def clean_name(self) -> str:
        name = clean_key_name(self.cleaned_data["name"])
        if self.is_name_taken(name):
            raise ValidationError(NAME_TAKEN)
        return name

    def clean_allowed_addresses(self) -> list[str]:
        """Addresses and networks, as typed on lines or between commas, each once."""
        typed = self.cleaned_data["allowed_addresses"].replace(",", " ").split()
        if len(typed) > MAX_ADDRESSES:
            raise ValidationError(f"Enter at most {MAX_ADDRESSES} addresses, or use networks.")
        kept: dict[str, None] = {}
        for text in typed:
            try:
                kept[client_ip.canonical(text)] = None
            except ValueError as error:
                raise ValidationError(
                    "“%(text)s” is not an IP address or network.", params={"text": text}
                ) from error
        return list(kept)

    def is_name_taken(self, name: str) -> bool:
        return ApiKey.objects.for_store(self.store).with_name(name).exists()

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("expiry") == "date" and "expiry_date" not in self.errors:
            day = cleaned.get("expiry_date")
            if day is None:
                self.add_error("expiry_date", "Choose the last day on which the key works.")
            elif day < timezone.now().date():
                self.add_error("expiry_date", "This day is in the past. Choose today or later.")
        return cleaned

    def expires_at(self) -> datetime | None:
        """The moment the choice stands for. A date means to the end of that day, in UTC."""
        expiry = self.cleaned_data["expiry"]
        if expiry == "never":
            return None
        if expiry == "date":
            return datetime.combine(self.cleaned_data["expiry_date"], time.max, UTC).replace(microsecond=0)
        return timezone.now() + timedelta(days=int(expiry))

    def expiries(self) -> list[tuple[str, str]]:
        """The choices of an expiry, each with the date that it comes to."""
        today = timezone.now()
        return [
            (value, f"{label} ({today + timedelta(days=int(value)):%-d %b %Y})" if value.isdigit() else label)
            for value, label in self.fields["expiry"].choices  # type: ignore[attr-defined]
        ]

    def presets(self) -> list[tuple[str, str]]:
        return [(label, " ".join(scopes)) for label, scopes in self.PRESETS.items()]

    def access_rows(self) -> list[tuple[Resource, list[tuple[Access, str, bool]]]]:
        """The access table: for each resource its accesses, their scopes and whether they are ticked."""
        ticked = set(self["access"].value() or ())
        return [
            (
                resource,
                [(access, resource.scope(access), resource.scope(access) in ticked) for access in Access],
            )
            for resource in Resource
        ]


class NewKeyForm(KeyForm):
    def create(self, *, by: Actor) -> tuple[ApiKey, str] | None:
        """The new key and its plaintext, or None with an error on the form."""
        try:
            return lifecycle.create_key(
                store=self.store,
                name=self.cleaned_data["name"],
                note=self.cleaned_data["note"],
                access=self.cleaned_data["access"],
                expires_at=self.expires_at(),
                allowed_addresses=self.cleaned_data["allowed_addresses"],
                by=by,
            )
        except NameTaken:
            self.add_error("name", NAME_TAKEN)
        except StoreSuspended as error:
            self.add_error(None, str(error))
        return None


class EditKeyForm(KeyForm):
    """Changes a key. ``version`` tells whether it is still the key that the owner was looking at."""

    version = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, key: ApiKey, extend: bool = False, **kwargs: Any) -> None:
        kwargs.setdefault(
            "initial",
            {
                "name": key.name,
                "note": key.note,
                "access": key.access,
                "expiry": "90" if extend else "keep" if key.expires_at else "never",
                "allowed_addresses": "\n".join(key.allowed_addresses),
                "version": key.version,
            },
        )
        super().__init__(*args, store=key.store, **kwargs)
        self.key = key
        if key.expires_at:
            verb = "Leave expired since" if key.is_expired(timezone.now()) else "Keep"
            keep = ("keep", f"{verb} {exact_time(key.expires_at)}")
            self.fields["expiry"].choices = [keep, *self.EXPIRIES]  # type: ignore[attr-defined]

    def is_name_taken(self, name: str) -> bool:
        if self.key.superseded_at:
            return False
        others = ApiKey.objects.for_store(self.store).exclude(pk=self.key.pk)
        return others.with_name(name).exists()

    def expires_at(self) -> datetime | None:
        return self.key.expires_at if self.cleaned_data["expiry"] == "keep" else super().expires_at()

    def change(self, *, by: Actor) -> bool:
        """Whether the key was changed; if not, the form says why and keeps what was typed."""
        try:
            lifecycle.update_key(
                self.key,
                by=by,
                version=self.cleaned_data["version"],
                name=self.cleaned_data["name"],
                note=self.cleaned_data["note"],
                access=self.cleaned_data["access"],
                expires_at=self.expires_at(),
                allowed_addresses=self.cleaned_data["allowed_addresses"],
            )
        except StaleKey:
            self.add_stale_error()
        except NameTaken:
            self.add_error("name", NAME_TAKEN)
        return self.is_valid()

    def add_stale_error(self) -> None:
        """Say what the key has become, and let the next Save go ahead over it."""
        self.add_error(
            None,
            f"Somebody else changed this key while you were editing it. Its name is now “{self.key.name}” "
            f"and its access {', '.join(self.key.access)}. What you entered is still below. Save replaces "
            "their changes with yours.",
        )
        data = QueryDict(mutable=True)
        data.update(self.data)
        data["version"] = str(self.key.version)
        self.data = data


class DeactivateForm(forms.Form):
    PAUSES = (
        ("", "Until somebody reactivates it"),
        ("1", "For an hour"),
        ("24", "For a day"),
    )

    hours = forms.ChoiceField(choices=PAUSES, required=False)

    def until(self) -> datetime | None:
        """Return when the key turns back on automatically, if it does."""
        hours = self.cleaned_data["hours"]
        return timezone.now() + timedelta(hours=int(hours)) if hours else None


class ReactivateForm(forms.Form):
    """``version`` tells whether the key is still the one that the owner was looking at."""

    version = forms.IntegerField(widget=forms.HiddenInput)

    def reactivate(self, key: ApiKey, *, by: Actor) -> None:
        """Reactivate the key. Raises StaleKey when it has changed, or the form does not say since when."""
        if not self.is_valid():
            raise StaleKey
        lifecycle.reactivate_key(key, by=by, version=self.cleaned_data["version"])


class RollForm(forms.Form):
    OVERLAPS = (
        ("0", "Stops now"),
        ("1", "Works for 1 more hour"),
        ("24", "Works for 24 more hours"),
        ("168", "Works for 7 more days"),
    )

    overlap = forms.ChoiceField(choices=OVERLAPS, initial="24")

    def duration(self) -> timedelta:
        return timedelta(hours=int(self.cleaned_data["overlap"]))


class DeleteForm(forms.Form):
    """Asks for the key's name, so that nobody deletes the wrong one."""

    name = forms.CharField(error_messages={"required": "Enter the name of the key to delete it."})

    def __init__(self, *args: Any, key: ApiKey, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.key = key

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if visible_part(name) != visible_part(self.key.name):
            raise ValidationError("This is not the key's name. Nothing was deleted.")
        return name


class DeleteSelectedForm(forms.Form):
    """Asks for a word, so that nobody deletes several keys by a wrong click."""

    confirmation = forms.CharField(required=False)

    def clean_confirmation(self) -> str:
        word: str = self.cleaned_data["confirmation"].strip()
        if word.lower() != "delete":
            raise ValidationError("Enter the word delete. Nothing was deleted.")
        return word


class AccessForm(forms.Form):
    """One click: exactly this access, if the key is still the one on the screen."""

    access = forms.MultipleChoiceField(choices=[(scope, scope) for scope in SCOPES])
    version = forms.IntegerField()

    def __init__(self, *args: Any, key: ApiKey, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.key = key

    def change(self, *, by: Actor) -> bool:
        """Whether the key has this access now; not if it had changed meanwhile."""
        version, access = self.cleaned_data["version"], self.cleaned_data["access"]
        try:
            lifecycle.update_key(self.key, by=by, version=version, access=access)
        except StaleKey:
            return False
        return True
