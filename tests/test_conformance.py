"""Answers of the API to right and wrong requests are what its own description says.

Schemathesis makes requests up from the description: valid ones, and ones that break it in every way it can
think of. Each is sent in-process, and whatever it did is taken back. CONFORMANCE_EXAMPLES says how many are
made for each route.
"""

import os
from typing import Any

import pytest
import schemathesis
from django.core.wsgi import get_wsgi_application
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import Case, GenerationMode
from schemathesis.checks import CHECKS, load_all_checks

from reflow.api.schema import get_schema
from stores.models import Store
from stores.resources import SCOPES, Resource
from tests.conftest import IssueKey, bearer
from tests.specimens import Specimens, make_specimens, undone

pytestmark = pytest.mark.usefixtures("kept_connection")

load_all_checks()
CHECKED: Any = CHECKS.get_by_names(
    [
        "not_a_server_error",
        "status_code_conformance",
        "content_type_conformance",
        "response_headers_conformance",
        "response_schema_conformance",
    ]
)

EXAMPLES = int(os.environ.get("CONFORMANCE_EXAMPLES", "5"))

Operation = Any  # schemathesis.APIOperation, which wants to know too much about itself

description: Any = schemathesis.openapi.from_dict(get_schema())
description.app = get_wsgi_application()
description.config.generation.update(with_security_parameters=False)  # the tests bring their own keys
OPERATIONS: list[Operation] = [result.ok() for result in description.get_all_operations()]


@pytest.fixture
def specimens(store: Store) -> Specimens:
    return make_specimens(store)


def send(operation: Operation, key: str, mode: GenerationMode, there: Specimens) -> None:
    """Send made-up requests for an operation, each of which must be answered as described."""
    headers = {"Accept-Encoding": "identity", **bearer(key)}

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(operation.as_strategy(mode, path_parameters=path_parameters(operation, mode, there)))
    def conforms(case: Case[Any]) -> None:
        with undone():
            response = case.call(headers=headers)
        case.validate_response(response, checks=CHECKED)

    conforms()


def path_parameters(operation: Operation, mode: GenerationMode, there: Specimens) -> dict[str, str] | None:
    """Name an object that is there, unless its ids are all there is to get wrong."""
    if mode is GenerationMode.NEGATIVE and not (operation.query or operation.body):
        return None
    parts = operation.path.split("/")
    parameters = {}
    if "{store_id}" in parts:
        parameters["store_id"] = str(there.store.pk)
    if "{id}" in parts:
        parameters["id"] = str(there.ids[Resource(parts[4])][0])
    return parameters


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.label)
def test_answers_to_a_key_of_all_scopes_are_as_described(
    operation: Operation, specimens: Specimens, issue: IssueKey
) -> None:
    _, key = issue(access=list(SCOPES))
    send(operation, key, GenerationMode.POSITIVE, specimens)


@pytest.mark.parametrize(
    "operation",
    [operation for operation in OPERATIONS if operation.path_parameters or operation.query or operation.body],
    ids=lambda operation: operation.label,
)
def test_answers_to_mistakes_are_as_described(
    operation: Operation, specimens: Specimens, issue: IssueKey
) -> None:
    _, key = issue(access=list(SCOPES))
    send(operation, key, GenerationMode.NEGATIVE, specimens)
