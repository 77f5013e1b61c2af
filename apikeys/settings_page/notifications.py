"""The page of what an owner is told by e-mail about a store's keys."""

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render

from apikeys.models import NotificationSettings
from apikeys.settings_page import form_recovery
from apikeys.settings_page.decorators import OwnerRequest, store_owner_required
from stores.models import Store


class NotificationsForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    class Meta:
        model = NotificationSettings
        fields = ("expiry", "new_network", "monthly_review", "fence", "rhythm", "roll")


@store_owner_required
def notifications(request: OwnerRequest, store: Store) -> HttpResponse:
    """Show what the owner has chosen for this store, and save what they choose."""
    chosen = NotificationSettings.objects.filter(store=store, user=request.user).first()
    form = NotificationsForm(
        request.POST if request.method == "POST" else form_recovery.take_unsent(request),
        instance=chosen or NotificationSettings(store=store, user=request.user),
    )
    if request.method == "POST":
        form.is_valid()  # any text ticks or unticks a box
        NotificationSettings.objects.update_or_create(
            store=store, user=request.user, defaults=form.cleaned_data
        )
        messages.success(request, "Saved your notifications.")
        return redirect("apikeys:notifications", store.pk)
    return render(request, "apikeys/notifications.html", {"store": store, "form": form})
