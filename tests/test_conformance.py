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
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as hypothesis_settings
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


@pytest.fixture(scope="module")
def operations() -> list[Operation]:
    """All operations, read here: every process of the suite would do so if it only knew of the tests."""
    description: Any = schemathesis.openapi.from_dict(get_schema())
    description.app = get_wsgi_application()
    description.config.generation.update(with_security_parameters=False)  # the tests bring their own keys
    return [result.ok() for result in description.get_all_operations()]


@pytest.fixture
def specimens(store: Store, settings: Any) -> Specimens:
    settings.RATE_LIMIT_PER_KEY = settings.RATE_LIMIT_FAILED_KEYS = settings.RATE_LIMIT_REVOCATIONS = 10**6
    return make_specimens(store)


@pytest.fixture
def key(issue: IssueKey) -> str:
    """A key of all scopes."""
    return issue(access=list(SCOPES))[1]


def send(operation: Operation, key: str, mode: GenerationMode, there: Specimens) -> None:
    """Send made-up requests for an operation, each of which must be answered as described."""
    headers = {"Accept-Encoding": "identity", **bearer(key)}

    @hypothesis_settings(
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


def test_answers_to_a_key_of_all_scopes_are_as_described(
    operations: list[Operation], specimens: Specimens, key: str
) -> None:
    for operation in operations:
        send(operation, key, GenerationMode.POSITIVE, specimens)


def test_answers_to_mistakes_are_as_described(
    operations: list[Operation], specimens: Specimens, key: str
) -> None:
    for operation in operations:
        if operation.path_parameters or operation.query or operation.body:
            send(operation, key, GenerationMode.NEGATIVE, specimens)
