"""What a key reaches: the key, the view's resource and the method, weighed against each other."""

from typing import TYPE_CHECKING, cast

from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from apikeys.api.exceptions import ApiKeyMissing, ApiKeyWrongStore, ResourceNotAllowed
from apikeys.api.malformed_keys import describe_absence
from stores.resources import Access, Resource

if TYPE_CHECKING:
    # At run time it is the views' module that imports this one, as the default named in settings.
    from rest_framework.views import APIView

    from apikeys.models import ApiKey


class HasApiKey(BasePermission):
    """For routes on which a key speaks about itself: any key that works."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        if request.auth is None:
            raise ApiKeyMissing(describe_absence(request.headers))
        return True


class HasResourceAccess(BasePermission):
    """Lets in whoever may use ``view.resource`` with this method; raises the reason why not.

    ``resource`` is a Resource, or None for a store's public face, which any key of the store and nobody's
    request may read. A view that does not say is closed to everyone; ``apikeys.E001`` reports it at start.
    """

    def has_permission(self, request: Request, view: "APIView") -> bool:
        if not hasattr(view, "resource"):
            raise PermissionDenied("This route is closed.")
        resource: Resource | None = view.resource
        key = cast("ApiKey | None", request.auth)
        access = Access.for_method(request.method or "")
        if key is None:
            if access is Access.READ and (resource is None or resource.is_public):
                return True
            raise ApiKeyMissing(describe_absence(request.headers))
        if key.store_id != int(view.kwargs["store_id"]):
            raise ApiKeyWrongStore
        # Known from here on, so that usage tells a refusal for want of this access from all others.
        # DRF asks once more, as for a POST, when it describes a view to OPTIONS: the first time counts.
        if not hasattr(request._request, "api_access"):
            request._request.api_access = access  # type: ignore[attr-defined]
        if resource is not None and not key.allows(resource.scope(access)):
            raise ResourceNotAllowed(required=resource.scope(access), granted=key.access)
        return True
