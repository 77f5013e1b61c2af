"""Forms of the settings page. A form checks what was typed, then calls apikeys.lifecycle."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils import timezone

from apikeys import client_ip, lifecycle
from apikeys.actors import Actor
from apikeys.formats import exact_time
from apikeys.lifecycle import KeyChanges, NameTaken, StaleKey, StoreSuspended
from apikeys.models import ApiKey, AuditEntry, Refusal
from apikeys.validators import MAX_NOTE_LENGTH, clean_key_name, clean_note, validate_no_key
from stores.models import Store
from stores.resources import MANAGING_SCOPES, SCOPES, Access, Resource, with_implied
from stores.text import visible_part

MAX_ADDRESSES = 50
# An IPv6 network written in full, and the end of its line.
MAX_NETWORK_LENGTH = 44
# What a preset may grant: never access to other keys.
SHOP_SCOPES = [scope for scope in SCOPES if scope not in MANAGING_SCOPES]
# The longest that a key works which may renew itself.
MAX_RENEWS_DAYS = 90
# Of what others did to a key while its form was open.
MAX_LISTED = 10
NAME_TAKEN = "Another key of this store has this name. Choose a different one."


class LinesField(forms.CharField):
    """A text of several lines, whose ends count as one character, as in the browser and as kept."""

    def to_python(self, value: Any) -> str:
        text = super().to_python(value) or ""
        return text.replace("\r\n", "\n")


class AddressesField(LinesField):
    """IP addresses and networks, as typed on lines or between commas, each once."""

    def __init__(self, *, required: bool) -> None:
        super().__init__(required=required, max_length=MAX_ADDRESSES * MAX_NETWORK_LENGTH)

    def clean(self, value: Any) -> list[str]:
        typed = super().clean(value).replace(",", " ").split()
        if len(typed) > MAX_ADDRESSES:
            raise ValidationError(f"Enter at most {MAX_ADDRESSES} addresses, or use networks.")
        kept: dict[str, None] = {}
        for text in typed:
            try:
                kept[client_ip.canonical(text)] = None
            except ValueError as error:
                raise ValidationError(str(error)) from error
        return list(kept)


class BoundedDecoder(json.JSONDecoder):
    """Refuses as no JSON what Python cannot read: a number of too many digits, and too many levels."""

    def decode(self, s: str, *args: Any) -> Any:
        try:
            return super().decode(s, *args)
        except (ValueError, RecursionError) as error:
            raise json.JSONDecodeError(str(error), s, 0) from error


class KeyForm(forms.Form):
    """Name, note, expiry and resource access: what Add and Edit have in common."""

    EXPIRIES = (
        ("7", "7 days"),
        ("30", "30 days"),
        ("60", "60 days"),
        ("90", "90 days"),
        ("365", "1 year"),
        ("date", "On a date"),
        ("never", "No expiry"),
    )
    # What programs of a kind usually need. The last one gets a caution.
    PRESETS: ClassVar = {
        "Read everything": [scope for scope in SHOP_SCOPES if scope.endswith(":read")],
        "Storefront": ["products:read", "categories:read"],
        "Fulfilment": ["products:read", "orders:read", "orders:write", "customers:read"],
        "Accounting": ["orders:read", "customers:read", "coupons:read"],
        "Full access": SHOP_SCOPES,
    }

    name = forms.CharField(max_length=100, error_messages={"required": "Enter a name."})
    note = LinesField(max_length=MAX_NOTE_LENGTH, required=False)
    expiry = forms.ChoiceField(choices=EXPIRIES, initial="90")
    renews = forms.BooleanField(required=False)
    expiry_date = forms.DateField(required=False, widget=forms.DateInput({"type": "date"}, "%Y-%m-%d"))
    access = forms.MultipleChoiceField(
        choices=[(scope, scope) for scope in SCOPES],
        error_messages={
            "required": "Choose at least one resource.",
            "invalid_choice": "There is no access called %(value)s.",
        },
    )
    allowed_addresses = AddressesField(required=False)

    def __init__(self, *args: Any, store: Store, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.store = store

    def clean_name(self) -> str:
        name = clean_key_name(self.cleaned_data["name"])
        if self.is_name_taken(name):
            raise ValidationError(NAME_TAKEN)
        return name

    def clean_note(self) -> str:
        return clean_note(self.cleaned_data["note"])

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
        if cleaned.get("renews") and "expiry" in cleaned and self.renews_days() is None:
            self.add_error(
                "renews",
                f"Choose an expiry of at most {MAX_RENEWS_DAYS} days: each time that the key renews itself, "
                "it works for so long again.",
            )
        return cleaned

    def renews_days(self) -> int | None:
        """Return for how many days the key renews itself, if it may; None also for an expiry too long."""
        expiry = self.cleaned_data["expiry"]
        is_short = expiry.isdigit() and int(expiry) <= MAX_RENEWS_DAYS
        return int(expiry) if is_short and self.cleaned_data.get("renews") else None

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
                renews_days=self.renews_days(),
                allowed_addresses=self.cleaned_data["allowed_addresses"],
                by=by,
            )
        except NameTaken:
            self.add_error("name", NAME_TAKEN)
        except StoreSuspended as error:
            self.add_error(None, str(error))
        return None


class CanaryForm(forms.Form):
    """A canary's name, and where it is put."""

    name = forms.CharField(
        max_length=100,
        error_messages={"required": "Enter a name."},
        help_text="What you will know it by in an e-mail, such as “Canary in the old repository”.",
    )
    place = forms.CharField(
        label="Where it is put",
        max_length=500,
        validators=[validate_no_key],
        error_messages={"required": "Enter where you put it."},
        help_text="Such as “README of the old repository” or “shared drive”.",
    )

    def __init__(self, *args: Any, store: Store, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.store = store

    def create(self, *, by: Actor) -> tuple[ApiKey, str] | None:
        """Return the new canary and its plaintext, or None with an error on the form."""
        try:
            return lifecycle.create_canary(store=self.store, by=by, **self.cleaned_data)
        except NameTaken:
            self.add_error("name", NAME_TAKEN)
        except ValidationError as error:
            self.add_error("name", error)
        except StoreSuspended as error:
            self.add_error(None, str(error))
        return None


class EditKeyForm(KeyForm):
    """Changes of a key what this person changed. ``shown`` is the key as it was when the form was opened."""

    LABELS: ClassVar = {
        "name": "name",
        "note": "note",
        "access": "access",
        "expires_at": "expiry",
        "allowed_addresses": "allowed addresses",
        "renews_days": "renewal",
    }

    shown = forms.JSONField(widget=forms.HiddenInput, decoder=BoundedDecoder)

    def __init__(self, *args: Any, key: ApiKey, extend: bool = False, **kwargs: Any) -> None:
        kwargs.setdefault("initial", initial_of(key) | {"shown": shown_of(key)})
        if extend:
            kwargs["initial"]["expiry"] = "90"
        super().__init__(*args, store=key.store, **kwargs)
        self.key = key
        # What was done to the key since the form was opened, newest first.
        self.meanwhile: list[AuditEntry] = []
        if key.expires_at:
            verb = "Leave expired since" if key.is_expired(timezone.now()) else "Keep"
            keep = ("keep", f"{verb} {exact_time(key.expires_at)}")
            self.fields["expiry"].choices = [keep, *self.EXPIRIES]  # type: ignore[attr-defined]

    def is_name_taken(self, name: str) -> bool:
        if self.key.superseded_at:
            return False
        others = ApiKey.objects.for_store(self.store).exclude(pk=self.key.pk)
        return others.with_name(name).exists()

    def clean_shown(self) -> dict[str, Any]:
        shown = self.cleaned_data["shown"]
        if not isinstance(shown, dict) or shown.keys() != shown_of(self.key).keys():
            raise ValidationError("The form is incomplete.")
        if not isinstance(shown["version"], int):
            raise ValidationError("The form is incomplete.")
        return shown

    def clean(self) -> dict[str, Any]:
        if "shown" in self.errors:
            self.add_error(None, "This form was incomplete, so nothing was saved. Check it and save again.")
            self.fill_in({"shown": json.dumps(shown_of(self.key))})
        return super().clean()

    def granted(self) -> list[str]:
        """Return the access in the form, with what it implies."""
        return with_implied(self.cleaned_data["access"])

    def changes(self) -> KeyChanges:
        """Return what this person changed in the form, and nothing that only somebody else changed."""
        cleaned, shown = self.cleaned_data, self.cleaned_data["shown"]
        changes: KeyChanges = {}
        if cleaned["name"] != shown["name"]:
            changes["name"] = cleaned["name"]
        if cleaned["note"] != shown["note"]:
            changes["note"] = cleaned["note"]
        if (access := self.granted()) != shown["access"]:
            changes["access"] = access
        if cleaned["allowed_addresses"] != shown["allowed_addresses"]:
            changes["allowed_addresses"] = cleaned["allowed_addresses"]
        if cleaned["expiry"] not in {"keep", "" if shown["expires_at"] else "never"}:
            changes["expires_at"] = self.expires_at()
        if (renews_days := self.renews_days()) != shown["renews_days"] or (
            renews_days and "expires_at" in changes
        ):
            changes["renews_days"] = renews_days
        return changes

    def expires_at(self) -> datetime | None:
        """Return the same for a key that keeps its expiry: its own."""
        return self.key.expires_at if self.cleaned_data["expiry"] == "keep" else super().expires_at()

    def renews_days(self) -> int | None:
        """Return the same for a key that keeps its expiry: its own length."""
        is_kept = self.cleaned_data["expiry"] == "keep" and self.cleaned_data.get("renews")
        return self.key.renews_days if is_kept else super().renews_days()

    def change(self, *, by: Actor) -> bool:
        """Save what this person changed; return False where the form says why it was not."""
        while True:
            changes = self.changes()
            self.meanwhile = self.changed_meanwhile()
            if self.has_conflict(changes):
                return False
            try:
                lifecycle.update_key(self.key, by=by, version=self.key.version, **changes)
            except StaleKey:
                continue
            except NameTaken:
                self.add_error("name", NAME_TAKEN)
            return self.is_valid()

    def has_conflict(self, changes: KeyChanges) -> bool:
        """Say where somebody else changed to another value what this person changed, and ask."""
        shown, now = self.cleaned_data["shown"], shown_of(self.key)
        both = [
            self.LABELS[name] for name, wanted in changes.items() if now[name] not in (shown[name], wanted)
        ]
        if both:
            self.add_error(
                None,
                f"While you were editing, somebody else changed the {' and the '.join(both)}, too. What you "
                "entered is still below. Save replaces their change with yours.",
            )
            untouched = {
                name: value
                for name, value in initial_of(self.key).items()
                if {"expiry": "expires_at", "renews": "renews_days"}.get(name, name) not in changes
            }
            self.fill_in(untouched | {"shown": json.dumps(now)})
        return bool(both)

    def changed_meanwhile(self) -> list[AuditEntry]:
        changes = self.key.version - self.cleaned_data["shown"]["version"]
        return list(AuditEntry.objects.filter(key=self.key)[: min(max(changes, 0), MAX_LISTED)])

    def add_addresses(self, addresses: Iterable[str]) -> None:
        """Show these among the allowed addresses, besides those that were sent."""
        typed = str(self["allowed_addresses"].value() or "").splitlines()
        self.fill_in({"allowed_addresses": "\n".join(dict.fromkeys([*filter(None, typed), *addresses]))})

    def fill_in(self, values: dict[str, Any]) -> None:
        """Show other values than those that were sent."""
        data = QueryDict(mutable=True)
        data.update(self.data)
        for name, value in values.items():
            data.setlist(name, value if isinstance(value, list) else [value])
        self.data = data


def initial_of(key: ApiKey) -> dict[str, Any]:
    """Return a key's settings as the fields of the form begin with them."""
    return {
        "name": key.name,
        "note": key.note,
        "access": key.access,
        "expiry": "keep" if key.expires_at else "never",
        "renews": key.renews_days is not None,
        "allowed_addresses": "\n".join(key.allowed_addresses),
    }


def shown_of(key: ApiKey) -> dict[str, Any]:
    """Return a key's settings as JSON, and the version of the key that has them."""
    return {
        "name": key.name,
        "note": key.note,
        "access": key.access,
        "expires_at": key.expires_at.isoformat() if key.expires_at else None,
        "allowed_addresses": key.allowed_addresses,
        "renews_days": key.renews_days,
        "version": key.version,
    }


class DeactivateForm(forms.Form):
    PAUSES = (
        ("", "Until somebody reactivates it"),
        ("1", "For an hour"),
        ("24", "For a day"),
    )

    hours = forms.ChoiceField(
        choices=PAUSES,
        required=False,
        help_text="Not sure whether it is needed? Deactivate it for an hour: it turns back on automatically.",
    )
    with_made = forms.BooleanField(required=False)

    def until(self) -> datetime | None:
        """Return when the key turns back on automatically, if it does."""
        hours = self.cleaned_data["hours"]
        return timezone.now() + timedelta(hours=int(hours)) if hours else None


class ExtendForm(forms.Form):
    days = forms.ChoiceField(
        choices=(("30", "For 30 days"), ("90", "For 90 days"), ("365", "For a year")), initial="90"
    )

    def expires_at(self) -> datetime:
        return timezone.now() + timedelta(days=int(self.cleaned_data["days"]))


class VersionForm(forms.Form):
    """``version`` tells whether the key is still the one that the owner was looking at."""

    version = forms.IntegerField(widget=forms.HiddenInput)


class ReactivateForm(VersionForm):
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
    expiry = forms.ChoiceField(required=False, initial="fresh")

    def __init__(self, *args: Any, key: ApiKey, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fresh = lifecycle.expiry_of_successor(key)
        if fresh and key.renews_days is None:
            self.fields["expiry"].choices = [  # type: ignore[attr-defined]
                ("fresh", f"Works until {fresh:%-d %b %Y}, as long as the old key was given"),
                ("keep", f"Works until {key.expires_at:%-d %b %Y}, as the old key would have"),
            ]

    def duration(self) -> timedelta:
        return timedelta(hours=int(self.cleaned_data["overlap"]))


class DeleteForm(forms.Form):
    """Asks for the key's name, so that nobody deletes the wrong one."""

    name = forms.CharField(
        max_length=1000, error_messages={"required": "Enter the name of the key to delete it."}
    )
    with_made = forms.BooleanField(required=False)

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
    """One click: exactly this access or these addresses, if the key is still the one on the screen."""

    access = forms.MultipleChoiceField(choices=[(scope, scope) for scope in SCOPES], required=False)
    allowed_addresses = AddressesField(required=False)
    version = forms.IntegerField()

    def __init__(self, *args: Any, key: ApiKey, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.key = key

    def change(self, *, by: Actor) -> bool:
        """Whether the key has this access now; not if it had changed meanwhile."""
        names = [name for name in ("access", "allowed_addresses") if self.cleaned_data[name]]
        changes = KeyChanges(**{name: self.cleaned_data[name] for name in names})  # type: ignore[typeddict-item]
        try:
            lifecycle.update_key(self.key, by=by, version=self.cleaned_data["version"], **changes)
        except StaleKey:
            return False
        return bool(changes)


class LeaveForm(forms.Form):
    """One click: leave refused what is refused for a cause, or with ``undo`` make it an alarm again."""

    refusal = forms.ModelChoiceField(Refusal.objects.none())
    undo = forms.BooleanField(required=False)

    def __init__(self, *args: Any, key: ApiKey, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["refusal"].queryset = Refusal.objects.for_key(key)  # type: ignore[attr-defined]

    def apply(self) -> None:
        row = Refusal.objects.filter(pk=self.cleaned_data["refusal"].pk)
        if self.cleaned_data["undo"]:
            row.reopen()
        else:
            row.leave()
