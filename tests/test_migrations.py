"""Rules of upgrades: the next release's tables suit the last one's code, or nothing has changed."""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.core.management import call_command
from django.db import OperationalError, connection, migrations
from django.db.migrations.loader import MigrationLoader
from django.db.models import NOT_PROVIDED
from pytest_django import Settings

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
}


@pytest.mark.django_db
def test_models_and_migrations_agree() -> None:
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


OURS = sorted(key for key in MigrationLoader(None).disk_migrations if key[0] in APPS)
LATER = [key for key in OURS if not key[1].startswith("0001_")]


def named(key: tuple[str, str]) -> migrations.Migration:
    found: migrations.Migration = MigrationLoader(None).get_migration(*key)
    return found


@pytest.mark.parametrize("key", OURS, ids=".".join)
def test_a_migration_happens_as_a_whole_and_can_be_taken_back(key: tuple[str, str]) -> None:
    """Each step that PostgreSQL cannot take back half-way, such as a concurrent index, is alone."""
    migration = named(key)
    assert migration.atomic or len(migration.operations) == 1
    assert all(operation.reversible for operation in migration.operations)


@pytest.mark.parametrize("key", LATER, ids=".".join)
def test_the_release_before_works_on_the_tables_of_the_next(key: tuple[str, str]) -> None:
    breaking = [step.describe() for step in named(key).operations if not leaves_old_code_alone(step)]
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


LAST = max(name for app, name in OURS if app == "stores")
NEXT = """
from django.db import migrations, models


def fail(apps, schema_editor):
    apps.get_model("stores", "Store").objects.create(id=100000001, name="Half done")
    raise RuntimeError("half-way")


class Migration(migrations.Migration):
    dependencies = [("stores", "{last}")]
    operations = [
        migrations.AddField("store", "motto", models.CharField(max_length=100, null=True)),
        migrations.CreateModel("Branch", [("id", models.BigAutoField(primary_key=True))]),
        {last_step}
    ]
"""


@pytest.fixture
def next_migration(tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The file of a migration of the stores, behind those that there are."""
    package = tmp_path / "next_release"
    package.mkdir()
    ours = importlib.import_module("stores.migrations").__path__
    (package / "__init__.py").write_text(f"__path__ += {list(ours)}")
    monkeypatch.syspath_prepend(tmp_path)
    settings.MIGRATION_MODULES = {"stores": "next_release"}
    yield package / "9999_next.py"
    for name in [name for name in sys.modules if name.startswith("next_release")]:
        del sys.modules[name]


def write(file: Path, last_step: str) -> None:
    file.write_text(NEXT.format(last=LAST, last_step=last_step))


def everything() -> dict[str, Any]:
    """The tables with their columns, and what has been migrated."""
    with connection.cursor() as cursor:
        columns = {
            table.name: connection.introspection.get_table_description(cursor, table.name)
            for table in connection.introspection.get_table_list(cursor)
        }
        cursor.execute("SELECT app, name FROM django_migrations ORDER BY id")
        migrated = cursor.fetchall()
        cursor.execute("SELECT count(*) FROM stores_store")
        return {"columns": columns, "migrated": migrated, "stores": cursor.fetchall()}


@pytest.mark.django_db(transaction=True)
def test_a_migration_that_fails_leaves_the_database_as_it_was(next_migration: Path) -> None:
    write(next_migration, "migrations.RunPython(fail),")
    before = everything()
    with pytest.raises(RuntimeError, match="half-way"):
        call_command("migrate", interactive=False, verbosity=0)
    assert everything() == before


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite has no locks on tables")
def test_a_migration_gives_way_to_a_long_query_instead_of_holding_up_all_others(
    next_migration: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would wait for the query, and all later ones for it: PGOPTIONS says how long, as in deployment."""
    write(next_migration, "")
    before = everything()
    connection.close()
    monkeypatch.setenv("PGOPTIONS", "-c lock_timeout=50ms")
    address = connection.settings_dict
    query = psycopg.connect(
        host=address["HOST"], user=address["USER"], password=address["PASSWORD"], dbname=address["NAME"]
    )
    with query:
        query.execute("SELECT count(*) FROM stores_store")
        with pytest.raises(OperationalError, match="lock timeout"):
            call_command("migrate", interactive=False, verbosity=0)
    assert everything() == before
    call_command("migrate", interactive=False, verbosity=0)
    assert ("stores", "9999_next") in everything()["migrated"]
    call_command("migrate", "stores", LAST, interactive=False, verbosity=0)
    assert everything() == before
