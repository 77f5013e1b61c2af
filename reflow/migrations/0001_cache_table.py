"""The table of CACHES, so that `migrate` is all it takes to have it."""

from django.core.management import call_command
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps


def create(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    call_command("createcachetable", "reflow_cache", database=schema_editor.connection.alias, verbosity=0)


class Migration(migrations.Migration):
    operations = [
        migrations.RunPython(
            create, reverse_code=lambda apps, schema_editor: schema_editor.execute("DROP TABLE reflow_cache")
        )
    ]
