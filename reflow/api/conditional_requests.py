"""Entity tags on answers, and reads that depend on them. Writes compare theirs inside their transaction."""

from http import HTTPStatus

from django.http import HttpRequest, HttpResponseBase
from django.middleware.http import ConditionalGetMiddleware
from django.utils.cache import set_response_etag

from reflow.api.addresses import is_api_path
from reflow.api.errors import answer

TAGGED = {HTTPStatus.OK, HTTPStatus.CREATED}


class ConditionalRequestMiddleware(ConditionalGetMiddleware):
    """Tags what the API answers to every method, and says in its own words that a read's condition failed."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if not is_api_path(request.path):
            return super().process_response(request, response)
        if response.status_code not in TAGGED or response.streaming:
            return response
        set_response_etag(response)
        answered = super().process_response(request, response)
        if answered is not response and answered.status_code == HTTPStatus.PRECONDITION_FAILED:
            return answer("precondition_failed")
        return answered
