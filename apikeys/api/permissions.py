"""Permissions of keys: the key, the view's resource and the method, weighed against each other."""

from typing import TYPE_CHECKING, cast

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from apikeys.api.call import get_call
from apikeys.api.exceptions import ApiError
from apikeys.api.malformed_keys import describe_absence, has_key_in_query
from stores.resources import Access, Resource

if TYPE_CHECKING:
    # At run time it is the views' module that imports this one, as the default named in settings.
    from rest_framework.views import APIView

    from apikeys.api.key_lookup import FoundKey


class HasApiKey(BasePermission):
    """For routes on which a key speaks about itself: any key that works."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        if request.auth is None and request.method != "OPTIONS":
            raise ApiError("api_key_missing", describe_absence(request._request))
        return True


class HasResourceAccess(BasePermission):
    """Lets in whoever may use ``view.resource`` with this method; raises the reason why not.

    ``resource`` is a Resource, or None for a store's public face, which any key of the store and nobody's
    request may read, unless the view has ``needs_key``. A view that does not say is closed to everyone;
    ``apikeys.E001`` reports it at start.
    """

    def has_permission(self, request: Request, view: "APIView") -> bool:
        if not hasattr(view, "resource"):
            raise ApiError("permission_denied")
        resource: Resource | None = view.resource
        key = cast("FoundKey | None", request.auth)
        access = Access.for_method(request.method or "")
        if key is None:
            is_open = request.method == "OPTIONS" or is_public(view, access)
            if is_open and not has_key_in_query(request._request):
                return True
            raise ApiError("api_key_missing", describe_absence(request._request))
        if key.store_id != int(view.kwargs["store_id"]):
            raise ApiError("api_key_wrong_store")
        # Known from here on, so that usage tells a refusal for want of this access from all others.
        get_call(request).access = access
        if resource is not None and not key.allows(resource.scope(access)):
            raise resource_not_allowed(required=resource.scope(access), granted=key.access)
        return True


def is_public(view: "APIView", access: Access) -> bool:
    """Return whether a view with a ``resource``, or None for one, has this access without a key."""
    is_open = view.resource is None or view.resource.is_public  # type: ignore[attr-defined]
    return access is Access.READ and is_open and not getattr(view, "needs_key", False)


def resource_not_allowed(*, required: str, granted: list[str]) -> ApiError:
    """Return the error for a key that works but lacks the scope ``required``, such as ``orders:read``."""
    sentence = (
        f"This API key may not do this: it needs {required}, which its store's owner can tick "
        "on the settings page."
    )
    return ApiError("resource_not_allowed", sentence, required=required, granted=granted)
