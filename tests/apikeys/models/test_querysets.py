"""Keys, as they are found."""

import pytest

from apikeys.models import ApiKey
from tests.conftest import IssueKey
from tests.key_requests import count_usage


def test_search_finds_a_key_by_name_note_prefix_or_whole_key(issue: IssueKey) -> None:
    key, plaintext = issue(name="Warehouse sync", note="For the Caf\u00e9")
    issue(name="Accounting")
    for text in ("house", "ＨＯＵＳＥ", "CAFE\u0301", key.prefix, key.prefix[:6], plaintext, key.masked):
        assert list(ApiKey.objects.search(text)) == [key], text
    assert not ApiKey.objects.search("nothing like it").exists()


@pytest.mark.usefixtures("within_a_minute")
@pytest.mark.parametrize("requests", [(5, 9), (9, 5)])
def test_busiest_first_counts_thirty_days(issue: IssueKey, requests: tuple[int, int]) -> None:
    made = [issue()[0], issue()[0], issue()[0]]
    for key, count in zip(made, requests, strict=False):
        count_usage(key, count)
    count_usage(made[2], 1000, days_ago=30)
    busiest = [made[0], made[1]] if requests[0] > requests[1] else [made[1], made[0]]
    assert list(ApiKey.objects.busiest_first()) == [*busiest, made[2]]
