"""The filters of the request log, and the rows that they find."""

from uuid import UUID

from django import forms
from django.db.models import OuterRef, Q, Subquery

from apikeys import key_text
from apikeys.error_codes import ERROR_CODES
from apikeys.models import ApiKey, LoggedRequest, Outcome
from apikeys.models.request_log import has_outcome
from apikeys.settings_page.log_search import AddressField, LogFilters, LogSearch
from stores.models import Store
from stores.resources import Resource

# Of keys that a search finds, the requests of so many are looked for.
MAX_KEYS = 200
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


class RequestFilters(LogFilters):
    placeholder = "Request id, prefix or path"

    outcome = forms.ChoiceField(required=False, choices=[("", "All"), *Outcome.choices])
    key = forms.CharField(
        required=False,
        max_length=100,
        widget=forms.TextInput(
            {"type": "search", "placeholder": "Name, prefix or note", "data-takes-key": ""}
        ),
    )
    reason = forms.ChoiceField(
        required=False,
        choices=[
            ("", "Any"),
            *((code, error.for_owner) for code, error in ERROR_CODES.items() if error.for_owner),
        ],
    )
    status = forms.RegexField(
        "^[1-5](?:[0-9]{2}|[xX]{2})$",
        required=False,
        max_length=3,
        widget=forms.TextInput({"placeholder": "404 or 4xx"}),
        error_messages=dict.fromkeys(
            ("invalid", "max_length"), "A status is a number such as 404, or all of a kind such as 4xx."
        ),
    )
    method = forms.ChoiceField(required=False, choices=[("", "Any"), *((one, one) for one in METHODS)])
    resource = forms.ChoiceField(required=False, choices=[("", "Any"), *Resource.choices])
    address = AddressField()

    def keys(self, store: Store) -> list[ApiKey] | None:
        """Return the keys that one of the two searches finds; None where neither is for a key."""
        keys, text = ApiKey.objects.for_store(store), self.cleaned_data["key"]
        if text:
            return list(keys.search(text)[:MAX_KEYS])
        prefix = read_search(self.cleaned_data["q"])[1]
        return list(keys.filter(prefix=prefix)) if prefix else None

    def search(self, store: Store) -> LogSearch:
        """Return the question to the store's log: each row also has its key's ``name``, if that is there."""
        wanted = self.cleaned_data
        request_id, prefix, path = read_search(wanted["q"])
        keys = self.keys(store)
        key = keys[0] if keys and len(keys) == 1 else None
        rows = LoggedRequest.objects.for_key(key.pk) if key else LoggedRequest.objects.for_store(store)
        if request_id:
            rows = rows.with_request_id(request_id)
        if wanted["reason"] or wanted["outcome"] in {Outcome.REFUSED, Outcome.FAILED}:
            rows = rows.filter(reason__isnull=False)
        if key and wanted["reason"]:
            rows = rows.filter(reason=wanted["reason"])
        equal = {name: wanted[name] for name in ("method", "resource", "address", "reason") if wanted[name]}
        condition = Q(**equal)
        if status := wanted["status"].lower():
            first = int(status.replace("x", "0"))
            condition &= Q(status__range=(first, first + 99 if "x" in status else first))
        if path:
            condition &= Q(path__contains=path)
        if keys is not None and key is None:
            named = key_text.find_prefix(wanted["key"]) or wanted["key"] or prefix
            condition &= Q(key_id__in=[one.pk for one in keys]) | Q(prefix=named)
        if wanted["outcome"]:
            condition &= has_outcome(wanted["outcome"])
        name = ApiKey.objects.filter(store=store, pk=OuterRef("key_id")).values("name")
        return LogSearch(self.within(rows).newest_first().annotate(name=Subquery(name)), condition)


def read_search(text: str) -> tuple[UUID | None, str, str]:
    """Return the request id, the key's prefix or the part of a path that somebody looks for."""
    try:
        return UUID(text), "", ""
    except ValueError:
        prefix = key_text.find_prefix(text)
        return None, prefix or "", "" if prefix else text
