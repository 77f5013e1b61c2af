"""The documentation: the API's description for programs, and the same for people."""

from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from reflow.schema import document


class SchemaView(APIView):
    """The API described in OpenAPI 3.1. Open to everybody, but not to a key that does not work."""

    permission_classes = (AllowAny,)
    schema = None

    def get(self, request: Request) -> Response:
        return Response(document())
