"""Whoever calls the shop's API in these tests."""

import pytest

from stores.models import Store
from stores.resources import SCOPES
from tests.conftest import IssueKey
from tests.shop import Caller


@pytest.fixture
def api(store: Store, issue: IssueKey) -> Caller:
    """With a key that may do everything."""
    _, plaintext = issue(access=list(SCOPES))
    return Caller(store, plaintext)
