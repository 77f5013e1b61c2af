"""Who did what to a key, read back from Django's own log."""

from django.db import connection, transaction

from apikeys.models import audit
from tests.conftest import IssueKey


def test_a_keys_history_is_found_by_an_index_however_long_the_log_is(issue: IssueKey) -> None:
    key, _ = issue()
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL enable_seqscan = off")
        assert "admin_log_by_object" in audit.of(key).explain()
