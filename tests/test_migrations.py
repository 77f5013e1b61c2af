"""Rules of upgrades: the next release's tables suit the last one's code, or nothing has changed."""

import importlib
from typing import Any

import pytest
from django.db import connection, migrations
from django.db.migrations.loader import MigrationLoader
from django.db.models import NOT_PROVIDED

from apikeys.models import ApiKey, Reminder, TokenExchange
from tests.conftest import IssueKey
from tests.key_requests import NOON

APPS = ("apikeys", "reflow", "stores")

# What takes away what the release before still uses waits for the release after it, and is named here then.
CONTRACTS = {
    # The release before writes no address twice, but where two people have one in different capitals.
    "reflow.0002_unique_email_addresses",
    # They are about columns that the release before leaves blank; a leaked key stays off for it, too.
    "apikeys.0007_names_and_leaks_are_constrained",
    # It allows one more event, which the release before never records.
    "apikeys.0012_owners_in_audit_log",
    # It renames a model, whose table keeps its name.
    "apikeys.0014_email",
    # It takes constraints away, and the models of tables that stay.
    "apikeys.0017_usage_without_foreign_keys",
    # It allows more events and one more resource, and is about a column that the release before leaves null.
    "apikeys.0020_keys_by_programs",
    # No column narrows. The release before makes no handle without a letter but for names of digits alone.
    "stores.0003_folded_columns_and_changes",
    "stores.0005_unique_without_case",
    # It allows more events and more keys of one name, which the release before never makes.
    "apikeys.0021_trust",
    # It is about a column that the release before leaves as it is, and allows more reminders.
    "apikeys.0022_insight",
    # They name more reminders, which changes no table.
    "apikeys.0023_notices",
    "apikeys.0025_keys_that_fail",
    # It takes a constraint away, and is about a column that the release before leaves null.
    "apikeys.0029_token_is_taken_once",
    # It renames what was noted of rolled keys, of which the release before tells once more at most.
    "apikeys.0030_reminders_of_rolled_keys",
}


LOADER = MigrationLoader(None)
OURS = sorted(key for key in LOADER.disk_migrations if key[0] in APPS)
LATER = [key for key in OURS if not key[1].startswith("0001_")]


@pytest.mark.parametrize("key", OURS, ids=".".join)
def test_a_migration_happens_as_a_whole_and_can_be_taken_back(key: tuple[str, str]) -> None:
    """Each step that PostgreSQL cannot take back half-way, such as a concurrent index, is alone."""
    migration = LOADER.get_migration(*key)
    assert migration.atomic or len(migration.operations) == 1
    assert all(operation.reversible for operation in migration.operations)


@pytest.mark.parametrize("key", LATER, ids=".".join)
def test_the_release_before_works_on_the_tables_of_the_next(key: tuple[str, str]) -> None:
    breaking = [
        step.describe() for step in LOADER.get_migration(*key).operations if not leaves_old_code_alone(step)
    ]
    assert not breaking or ".".join(key) in CONTRACTS


def leaves_old_code_alone(step: Any) -> bool:
    """Whether code that knows nothing of this step goes on reading and writing as before."""
    if isinstance(step, migrations.AddField):
        # Django's own defaults are gone once the column is there.
        return bool(step.field.null) or step.field.db_default is not NOT_PROVIDED
    if isinstance(step, migrations.RunSQL):
        return str(step.sql).startswith(("CREATE INDEX ", "DROP INDEX "))
    return isinstance(
        step,
        (
            migrations.CreateModel, migrations.AddIndex, migrations.RemoveIndex, migrations.RemoveConstraint,
            migrations.AlterModelOptions, migrations.AlterModelManagers, migrations.RunPython,
        ),
    )  # fmt: skip


@pytest.mark.django_db
def test_tokens_that_the_release_before_took_are_taken_no_second_time() -> None:
    module = importlib.import_module("apikeys.migrations.0029_token_is_taken_once")
    state = MigrationLoader(None).project_state(("apikeys", "0028_fill_used_at"))
    for step in module.Migration.operations[:2]:
        step.state_forwards("apikeys", state)
    used = state.apps.get_model("apikeys", "UsedToken").objects.create(digest="a" * 64, expires_at=NOON)
    module.copy_used_tokens(state.apps, None)
    assert TokenExchange.objects.get().token_digest == used.digest
    module.delete_exchanges_of_deleted_trusts(state.apps, None)
    assert not TokenExchange.objects.exists()


@pytest.mark.django_db
def test_what_was_told_of_rolled_keys_is_renamed_once_and_again(issue: IssueKey) -> None:
    """Also where the release before has run since, and has told of the same key again."""
    rolled, working = (issue(name=name)[0] for name in ("Rolled", "Working"))
    ApiKey.objects.filter(pk=rolled.pk).update(superseded_at=NOON)
    module = importlib.import_module("apikeys.migrations.0030_reminders_of_rolled_keys")
    for _ in range(2):
        for key in (rolled, working):
            Reminder.objects.get_or_create(key=key, kind="still_called", about=NOON)
        with connection.cursor() as cursor:
            cursor.execute(module.RENAME)
    told = Reminder.objects.order_by("key", "kind").values_list("key", "kind")
    assert list(told) == [
        (rolled.pk, "old_called"), (rolled.pk, "still_called"), (working.pk, "still_called"),
    ]  # fmt: skip
