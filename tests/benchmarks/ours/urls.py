"""All of the site's routes, and two to a view that does nothing: with and without a key."""

from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from reflow import urls
from reflow.urls import handler400, handler403, handler404, handler500  # noqa: F401  # for Django
from stores.resources import Resource


class Nothing(APIView):
    """An answer that costs nothing, to whoever may read the store's orders."""

    resource: Resource | None = Resource.ORDERS

    def get(self, request: Request, store_id: int) -> Response:
        return Response({"ok": True})


class NothingForAll(Nothing):
    """The same answer to everybody: nobody looks for a key."""

    authentication_classes = ()
    permission_classes = ()
    resource = None


urlpatterns = [
    path("v1/stores/<int:store_id>/nothing/", Nothing.as_view()),
    path("v1/stores/<int:store_id>/nothing-for-all/", NothingForAll.as_view()),
    *urls.urlpatterns,
]
