"""Forms of the settings page. A form checks what was typed, then calls apikeys.lifecycle."""

from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from datetime import UTC, datetime, time, timedelta
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.urls import reverse_lazy
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import mark_safe
from django.utils.text import format_lazy

from apikeys import lifecycle
from apikeys.actors import Actor
from apikeys.formats import exact_time
from apikeys.lifecycle import NameTaken, StaleKey, StoreSuspended
from apikeys.locks import lock_key, lock_store
from apikeys.models import ApiKey, AuditEntry, Event
from apikeys.validators import (
    MAX_ADDRESSES,
    MAX_NOTE_LENGTH,
    clean_addresses,
    clean_key_name,
    clean_note,
    validate_no_key,
)
from stores.models import Store
from stores.resources import MANAGING_SCOPES, SCOPES, Access, Resource, with_implied
from stores.text import visible_part

# An IPv6 network written in full, and the end of its line.
MAX_NETWORK_LENGTH = 44
# What a preset may grant: never access to other keys.
SHOP_SCOPES = [scope for scope in SCOPES if scope not in MANAGING_SCOPES]
# The longest that a key works which may renew itself.
MAX_RENEWS_DAYS = 90
LENGTHS = (("7", "7 days"), ("30", "30 days"), ("60", "60 days"), ("90", "90 days"), ("365", "1 year"))
# For how many days a key is extended, unless another length is chosen.
EXTENSION = "90"
# The label of a field that may stay empty.
OPTIONAL = '{} <span class="muted">(optional)</span>'
# Attributes of boxes to type into.
CONFIRMATION = {"autofocus": True, "autocomplete": "off", "spellcheck": "false"}
PLAIN_TEXT = {"autocomplete": "off", "dir": "auto"}
NAME_TAKEN = "Another key of this store has this name. Choose a different one."
REPLACED = "This key can no longer be changed: its program has replaced it, or a trust made it."


class LinesField(forms.CharField):
    """A text of several lines, whose ends count as one character, as in the browser and as kept."""

    widget = forms.Textarea({"rows": 3, "autocomplete": "off", "spellcheck": "false"})

    def to_python(self, value: Any) -> str:
        text = super().to_python(value) or ""
        return text.replace("\r\n", "\n")


class AddressesField(LinesField):
    """IP addresses and networks, as typed on lines or between commas, each once."""

    def __init__(self) -> None:
        super().__init__(  # type: ignore[call-arg]  # the stubs lack template_name
            required=False,
            max_length=MAX_ADDRESSES * MAX_NETWORK_LENGTH,
            template_name="apikeys/includes/addresses_field.html",
            help_text="IP addresses or networks, one per line, such as 203.0.113.7 or 2001:db8::/32. "
            "Leave it empty to allow any address.",
        )

    def clean(self, value: Any) -> list[str]:
        return clean_addresses(super().clean(value).replace(",", " ").split())


def expiries() -> list[tuple[str, str]]:
    """Return the choices of an expiry, each with the date that it comes to today."""
    today = timezone.now()
    lengths = [(days, f"{label} ({today + timedelta(days=int(days)):%-d %b %Y})") for days, label in LENGTHS]
    return [*lengths, ("date", "On a date"), ("never", "No expiry")]


class KeyForm(forms.Form):
    """Name, note, expiry and resource access: what Add and Edit have in common."""

    # What programs of a kind usually need. The last one gets a caution.
    PRESETS: ClassVar = {
        "Read everything": " ".join(scope for scope in SHOP_SCOPES if scope.endswith(":read")),
        "Storefront": "products:read categories:read",
        "Fulfilment": "products:read orders:read orders:write customers:read",
        "Accounting": "orders:read customers:read coupons:read",
        "Full access": " ".join(SHOP_SCOPES),
    }

    name = forms.CharField(
        max_length=100,
        widget=forms.TextInput(PLAIN_TEXT | {"autofocus": True}),
        error_messages={"required": "Enter a name."},
        help_text="Where the key is used, such as “Accounting” or “Warehouse sync”.",
    )
    note = LinesField(
        label=format_html(OPTIONAL, "Note"),
        max_length=MAX_NOTE_LENGTH,
        required=False,
        widget=forms.Textarea({"rows": 2, "dir": "auto"}),
        help_text="Who asked for it, where it is stored, whom to ask. Not the key itself.",
    )
    expiry = forms.ChoiceField(
        choices=expiries,
        initial="90",
        # Shown with "never".
        help_text="A key without an expiry works until somebody deactivates or deletes it. If it leaks "
        "unnoticed, it stays open.",
    )
    expiry_date = forms.DateField(
        required=False,
        label="Last day it works (UTC)",
        widget=forms.DateInput({"type": "date"}, "%Y-%m-%d"),
    )
    renews = forms.BooleanField(
        required=False,
        label="May renew itself",
        help_text=format_lazy(
            "The program trades the key for a new one before it ends, so that nobody has to. "
            '<a href="{}#renewal">How it works</a>',
            reverse_lazy("getting-started"),
        ),
    )
    access = forms.MultipleChoiceField(  # type: ignore[call-arg]  # the stubs lack template_name
        choices=[(scope, scope) for scope in SCOPES],
        template_name="apikeys/includes/access_fields.html",
        error_messages={
            "required": "Choose at least one resource.",
            "invalid_choice": "There is no access called %(value)s.",
        },
    )
    allowed_addresses = AddressesField()

    def __init__(self, *args: Any, store: Store, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.store = store
        # The names of these are taken.
        self.others = ApiKey.objects.for_store(store)

    def clean_name(self) -> str:
        name = clean_key_name(self.cleaned_data["name"])
        if self.others.with_name(name).exists():
            raise ValidationError(NAME_TAKEN)
        return name

    def clean_note(self) -> str:
        return clean_note(self.cleaned_data["note"])

    def clean_access(self) -> list[str]:
        return with_implied(self.cleaned_data["access"])

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


@contextmanager
def errors_on(form: forms.Form, *, taken: str = NAME_TAKEN, stale: str = "") -> Iterator[None]:
    """Say on the form why something was not done: ``taken`` of its name, ``stale`` of what has changed."""
    try:
        yield
    except NameTaken:
        form.add_error("name", taken)
    except StaleKey:
        form.add_error(None, stale)
    except StoreSuspended as error:
        form.add_error(None, str(error))
    except ValidationError as error:
        form.add_error(None, error)


class NewKeyForm(KeyForm):
    def create(self, *, by: Actor) -> tuple[ApiKey, str] | None:
        """Create the key, and return it with its plaintext; None where the form says why it was not."""
        names = ("name", "note", "access", "allowed_addresses")
        settings = {name: self.cleaned_data[name] for name in names}
        settings |= {"expires_at": self.expires_at(), "renews_days": self.renews_days()}
        with errors_on(self):
            return lifecycle.create_key(store=self.store, by=by, **settings)


class CanaryForm(forms.Form):
    """A canary's name, and where it is put."""

    name = forms.CharField(
        max_length=100,
        widget=forms.TextInput(PLAIN_TEXT),
        error_messages={"required": "Enter a name."},
        help_text="What you will know it by in an e-mail, such as “Canary in the old repository”.",
    )
    place = forms.CharField(
        label="Where it is put",
        max_length=500,
        widget=forms.TextInput(PLAIN_TEXT),
        validators=[validate_no_key],
        error_messages={"required": "Enter where you put it."},
        help_text="Such as “README of the old repository” or “shared drive”.",
    )

    def clean_name(self) -> str:
        return clean_key_name(self.cleaned_data["name"])

    def create(self, store: Store, *, by: Actor) -> tuple[ApiKey, str] | None:
        """Create the canary, and return as ``NewKeyForm.create``."""
        with errors_on(self):
            return lifecycle.create_canary(store=store, by=by, **self.cleaned_data)


class EditKeyForm(KeyForm):
    """Changes of a key what this person changed. ``version`` is that of the key when the form was opened."""

    LABELS: ClassVar = {
        "name": "name",
        "note": "note",
        "access": "access",
        "expires_at": "expiry",
        "allowed_addresses": "allowed addresses",
        "renews_days": "renewal",
    }
    # The columns of fields, and of what the audit log says of a roll, that are called otherwise.
    COLUMNS: ClassVar = {"expiry": "expires_at", "renews": "renews_days", "works_until": "expires_at"}

    version = forms.IntegerField(widget=forms.HiddenInput, min_value=1)

    def __init__(self, *args: Any, key: ApiKey, extend: bool = False, **kwargs: Any) -> None:
        initial = initial_of(key) | ({"expiry": EXTENSION} if extend else {})
        super().__init__(*args, store=key.store, initial=initial, **kwargs)
        self.key = key
        # The name of a rolled key is its successor's.
        self.others = self.others.none() if key.superseded_at else self.others.exclude(pk=key.pk)
        # What was done to the key since the form was opened, newest first.
        self.meanwhile: list[AuditEntry] = []
        keep = ""
        if key.expires_at:
            verb = "Leave expired since" if key.is_expired(timezone.now()) else "Keep"
            keep = f"{verb} {exact_time(key.expires_at)}"
        elif self.data.get("expiry") == "keep":
            # Somebody else has removed the expiry since the form was opened.
            keep = "Keep no expiry"
        if keep:
            self.fields["expiry"].choices = [("keep", keep), *expiries()]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        if "version" in self.errors:
            self.add_error(None, "This form was incomplete, so nothing was saved. Check it and save again.")
            self.fill_in({"version": self.key.version})
        return super().clean()

    def expires_at(self) -> datetime | None:
        """Return the same for a key that keeps its expiry: its own."""
        return self.key.expires_at if self.cleaned_data["expiry"] == "keep" else super().expires_at()

    def renews_days(self) -> int | None:
        """Return the same for a key that keeps its expiry: its own length."""
        is_kept = self.cleaned_data["expiry"] == "keep" and self.cleaned_data.get("renews")
        return self.key.renews_days if is_kept else super().renews_days()

    def shown(self) -> ApiKey:
        """Return the key as it was when the form was opened: what was changed since is taken back."""
        shown = copy(self.key)
        for entry in self.meanwhile:
            if entry.event == Event.UPDATED:
                for name in self.LABELS.keys() & entry.details.keys():
                    setattr(shown, name, entry.details[name]["from"])
        return shown

    def changes(self) -> dict[str, Any]:
        """Return what this person changed in the form, and nothing that only somebody else changed."""
        cleaned = self.cleaned_data
        wanted = {name: cleaned[name] for name in ("name", "note", "access", "allowed_addresses")}
        wanted |= {"expires_at": self.expires_at(), "renews_days": self.renews_days()}
        changed = {self.COLUMNS.get(name, name) for name in self.changed_data}
        if cleaned["expiry"] == "keep":
            changed.discard("expires_at")
        elif wanted["renews_days"]:
            changed.add("renews_days")
        return {name: value for name, value in wanted.items() if name in changed}

    def change(self, *, by: Actor) -> bool:
        """Save what this person changed; return False where the form says why it was not."""
        with lock_store(self.store), lock_key(self.key):
            missed = max(0, self.key.version - self.cleaned_data["version"])
            self.meanwhile = list(AuditEntry.objects.filter(key=self.key)[:missed])
            self.initial = initial_of(self.shown())
            changes = self.changes()
            if self.has_conflict(changes):
                return False
            with errors_on(self, stale=REPLACED):
                lifecycle.update_key(self.key, by=by, version=self.key.version, **changes)
        return self.is_valid()

    def has_conflict(self, changes: dict[str, Any]) -> bool:
        """Say where somebody else changed to another value what this person changed, and ask."""
        theirs = {self.COLUMNS.get(name, name) for entry in self.meanwhile for name in entry.details}
        both = [
            self.LABELS[name]
            for name, mine in changes.items()
            if name in theirs and getattr(self.key, name) != mine
        ]
        if both:
            self.add_error(
                None,
                f"While you were editing, somebody else changed the {' and the '.join(both)}, too. What you "
                "entered is still below. Save replaces their change with yours.",
            )
            initial = initial_of(self.key).items()
            self.fill_in(
                {name: value for name, value in initial if self.COLUMNS.get(name, name) not in changes}
            )
        return bool(both)

    def fill_in(self, values: dict[str, Any]) -> None:
        """Show other values than those that were sent."""
        data = QueryDict(mutable=True)
        data.update(self.data)
        for name, value in values.items():
            data.setlist(name, value if isinstance(value, list) else [value])
        self.data = data


def initial_of(key: ApiKey) -> dict[str, Any]:
    """Return a key's settings as the fields of the form begin with them, and the version that has them."""
    return {
        "name": key.name,
        "note": key.note,
        "access": key.access,
        "expiry": "keep" if key.expires_at else "never",
        "renews": key.renews_days is not None,
        "allowed_addresses": "\n".join(key.allowed_addresses),
        "version": key.version,
    }


class DeactivateForm(forms.Form):
    PAUSES = (
        ("", "Until somebody reactivates it"),
        ("1", "For an hour"),
        ("24", "For a day"),
    )

    hours = forms.ChoiceField(
        label="For how long",
        widget=forms.RadioSelect,
        choices=PAUSES,
        required=False,
        help_text="Not sure whether it is needed? Deactivate it for an hour: it turns back on automatically.",
    )
    with_made = forms.BooleanField(required=False, template_name="apikeys/includes/made.html")

    def until(self) -> datetime | None:
        """Return when the key turns back on automatically, if it does."""
        hours = self.cleaned_data["hours"]
        return timezone.now() + timedelta(hours=int(hours)) if hours else None


class ExtendForm(forms.Form):
    days = forms.ChoiceField(
        label="From now",
        widget=forms.RadioSelect,
        choices=(("30", "For 30 days"), ("90", "For 90 days"), ("365", "For a year")),
        initial="90",
    )

    def expires_at(self) -> datetime:
        return timezone.now() + timedelta(days=int(self.cleaned_data["days"]))


class VersionForm(forms.Form):
    """``version`` tells whether the key is still the one that the owner was looking at."""

    version = forms.IntegerField(widget=forms.HiddenInput)

    def read_version(self) -> int:
        """Return the version. Raises StaleKey where the form does not say one."""
        if not self.is_valid():
            raise StaleKey
        return int(self.cleaned_data["version"])


class RollForm(forms.Form):
    OVERLAPS = (
        ("0", "Stops now"),
        ("1", "Works for 1 more hour"),
        ("24", "Works for 24 more hours"),
        ("168", "Works for 7 more days"),
    )

    overlap = forms.ChoiceField(label="The old key", widget=forms.RadioSelect, choices=OVERLAPS, initial="24")
    expiry = forms.ChoiceField(label="The new key", widget=forms.RadioSelect, required=False, initial="fresh")

    def __init__(self, *args: Any, key: ApiKey, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        ends = (lifecycle.expiry_of_successor(key), key.expires_at)
        fresh, kept = (f"{end:%-d %b %Y}" if end else "" for end in ends)
        if fresh != kept and key.renews_days is None:
            self.fields["expiry"].choices = [  # type: ignore[attr-defined]
                ("fresh", f"Works until {fresh}, as long as the old key was given"),
                ("keep", f"Works until {kept}, as the old key would have"),
            ]
        else:
            del self.fields["expiry"]


class DeleteForm(forms.Form):
    """Asks for the key's name, so that nobody deletes the wrong one."""

    name = forms.CharField(
        max_length=1000,
        widget=forms.TextInput(CONFIRMATION | {"dir": "auto"}),
        error_messages={"required": "Enter the name of the key to delete it."},
    )
    with_made = forms.BooleanField(required=False, template_name="apikeys/includes/made.html")

    def __init__(self, *args: Any, key: ApiKey, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.key = key
        self.fields["name"].label = format_html('Type <bdi class="mono">{}</bdi> to confirm', key.name)

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if visible_part(name) != visible_part(self.key.name):
            raise ValidationError("This is not the key's name. Nothing was deleted.")
        return name


class DeleteSelectedForm(forms.Form):
    """Asks for a word, so that nobody deletes several keys by a wrong click."""

    confirmation = forms.CharField(
        required=False,
        widget=forms.TextInput(CONFIRMATION),
        label=mark_safe('Type <b class="mono">delete</b> to confirm'),
    )

    def clean_confirmation(self) -> str:
        word: str = self.cleaned_data["confirmation"].strip()
        if word.lower() != "delete":
            raise ValidationError("Enter the word delete. Nothing was deleted.")
        return word


class AccessForm(VersionForm):
    """One click: exactly this access or these addresses, if the key is still the one on the screen."""

    access = forms.MultipleChoiceField(choices=[(scope, scope) for scope in SCOPES], required=False)
    allowed_addresses = AddressesField()

    def change(self, key: ApiKey, *, by: Actor) -> None:
        """Change the key. Raises StaleKey where it has changed, or the form does not say to what."""
        version, cleaned = self.read_version(), self.cleaned_data
        changes = {name: cleaned[name] for name in ("access", "allowed_addresses") if cleaned[name]}
        if not changes:
            raise StaleKey
        lifecycle.update_key(key, by=by, version=version, **changes)
