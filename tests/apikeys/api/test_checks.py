from django.core.checks import run_checks
from django.test import override_settings
from django.urls import path
from rest_framework.views import APIView

from apikeys.api.permissions import HasResourceAccess


class Undeclared(APIView):
    permission_classes = (HasResourceAccess,)


class Declared(Undeclared):
    resource = None


urlpatterns = [path("undeclared/", Undeclared.as_view()), path("declared/", Declared.as_view())]


@override_settings(ROOT_URLCONF=__name__)
def test_a_view_without_a_resource_is_found_at_start_up() -> None:
    found = [error for error in run_checks() if error.id == "apikeys.E001"]
    assert [error.msg for error in found] == [
        "tests.apikeys.api.test_checks.Undeclared does not say which resource it serves."
    ]
