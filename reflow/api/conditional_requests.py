"""Entity tags on answers, and reads that depend on them. Writes compare theirs inside their transaction."""

from http import HTTPStatus

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.middleware.http import ConditionalGetMiddleware

from reflow.api.addresses import is_api_path
from reflow.api.errors import answer
from stores.api.base import make_entity_tag

TAGGED = {HTTPStatus.OK, HTTPStatus.CREATED}


class ConditionalRequestMiddleware(ConditionalGetMiddleware):
    """Tags what the API answers to every method, and says in its own words that a read's condition failed."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if not is_api_path(request.path):
            return super().process_response(request, response)
        if response.status_code not in TAGGED or not isinstance(response, HttpResponse):
            return response
        if "ETag" not in response:
            response["ETag"] = make_entity_tag(response.content)
        answered = super().process_response(request, response)
        if answered is not response and answered.status_code == HTTPStatus.PRECONDITION_FAILED:
            return answer("precondition_failed")
        return answered
