"""Accounts, groups and second factors in the admin.

Only superusers decide who is staff, who is a superuser and who has which permission, and only they touch the
accounts of staff. Otherwise the permission to change accounts would be the permission to do anything.
"""

from typing import Any

import allauth.mfa.admin  # noqa: F401  # registers what is replaced below
from allauth.mfa.models import Authenticator
from django import forms
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.forms import AdminPasswordChangeForm, AdminUserCreationForm, UserChangeForm
from django.contrib.auth.models import Group, User
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest

from apikeys.actors import actor_from_request
from apikeys.admin.records import ReadOnlyAdmin
from apikeys.owners import remove_owner
from reflow.accounts import emails
from reflow.accounts.email_addresses import normalize_email
from reflow.accounts.second_factor_reset import remove_second_factors

SUPERUSER_FIELDS = ("is_staff", "is_superuser", "groups", "user_permissions")


def can_change_account(request: HttpRequest, user: User | None) -> bool:
    """Whether an operator may change this account, or some, permissions of models aside."""
    return request.user.is_superuser or user is None or not (user.is_staff or user.is_superuser)


class UniqueEmailForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    def clean_email(self) -> str:
        email = normalize_email(self.cleaned_data["email"])
        if email and User.objects.filter(email=email).exclude(pk=self.instance.pk).exists():
            raise forms.ValidationError("There is an account with this e-mail address already.")
        return email


class ChangeAccountForm(UniqueEmailForm, UserChangeForm):  # type: ignore[type-arg]
    pass


class ChangePasswordForm(AdminPasswordChangeForm):  # type: ignore[type-arg]  # not generic at run time
    def save(self, commit: bool = True) -> User:  # noqa: FBT001, FBT002  # Django's
        """Set the password, and tell the person."""
        user: User = super().save(commit)
        emails.queue_notification("account/email/password_replaced", user, {"email": user.email})
        return user


class AddAccountForm(UniqueEmailForm, AdminUserCreationForm):  # type: ignore[type-arg]
    email = forms.EmailField(max_length=254, help_text="What the person signs in with.")


class AccountAdmin(UserAdmin):  # type: ignore[type-arg]
    form = ChangeAccountForm
    add_form = AddAccountForm
    change_password_form = ChangePasswordForm
    add_fieldsets = ((None, {"fields": ("username", "email", "usable_password", "password1", "password2")}),)

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:  # noqa: FBT001  # Django's
        """Save the account, and tell the person of another address to sign in with."""
        super().save_model(request, obj, form, change)
        if change and "email" in form.changed_data and (former := form.initial["email"]) != obj.email:
            emails.queue_email_changed(obj, former=former)

    def delete_model(self, request: HttpRequest, obj: User) -> None:
        self.delete_queryset(request, User.objects.filter(pk=obj.pk))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """Take each person's stores away first, so that the other owners are told, and it is logged."""
        with transaction.atomic():
            for user in queryset:
                remove_owner(user, by=actor_from_request(request))
            super().delete_queryset(request, queryset)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        fields = tuple(super().get_readonly_fields(request, obj))
        return fields if request.user.is_superuser else (*fields, *SUPERUSER_FIELDS)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and can_change_account(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and can_change_account(request, obj)


class PermissionGroupAdmin(GroupAdmin):
    """Groups hand out permissions: superusers change them, others only look."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.is_superuser

    has_change_permission = has_delete_permission = has_add_permission


class AuthenticatorAdmin(ReadOnlyAdmin):
    """That somebody has a second factor, never its secret.

    An operator deletes it for a person who has lost it and the recovery codes, once sure who is asking.
    It is in the history of the person's account, and they are told.
    """

    list_display = fields = ("user", "type", "created_at", "last_used_at")
    list_filter = ("type",)
    search_fields = ("user__email",)
    ordering = ("user__email", "type")

    def delete_model(self, request: HttpRequest, obj: Authenticator) -> None:
        self.delete_queryset(request, Authenticator.objects.filter(pk=obj.pk))

    def delete_queryset(self, request: HttpRequest, queryset: "QuerySet[Authenticator]") -> None:
        by, session = actor_from_request(request).user, request.session.session_key
        for user in User.objects.filter(authenticator__in=queryset).distinct():
            remove_second_factors(user, queryset, by=by, kept_session=session)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        may_delete: bool = request.user.has_perm("mfa.delete_authenticator")
        return may_delete and can_change_account(request, obj and obj.user)


admin.site.unregister([Authenticator, Group, User])
admin.site.register(User, AccountAdmin)
admin.site.register(Group, PermissionGroupAdmin)
admin.site.register(Authenticator, AuthenticatorAdmin)
