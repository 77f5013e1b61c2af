"""Whoever calls the shop's API in these tests."""

from collections.abc import Iterator
from typing import Any

import pytest

from apikeys.usage import recorder
from stores.models import Store
from stores.resources import SCOPES
from tests.conftest import IssueKey
from tests.shop import Caller


@pytest.fixture
def api(store: Store, issue: IssueKey) -> Caller:
    """With a key that may do everything."""
    _, plaintext = issue(access=list(SCOPES))
    return Caller(store, plaintext)


@pytest.fixture
def patient(settings: Any) -> Iterator[None]:
    """Usage waits in memory, as it does in production."""
    settings.USAGE_FLUSH_SECONDS = 3600
    yield
    recorder._restart()
