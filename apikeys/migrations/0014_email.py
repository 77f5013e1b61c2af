from typing import Any

from django.db import migrations

MOVED = {"apikeys.letters.send_letter": "apikeys.outbox.send_email"}


def rename_tasks(paths: dict[str, str]) -> Any:
    """Name tasks that wait by where they are defined now."""

    def rename(apps: Any, schema_editor: Any) -> None:
        for before, after in paths.items():
            apps.get_model("django_tasks_database", "DBTaskResult").objects.filter(task_path=before).update(
                task_path=after
            )

    return rename


class Migration(migrations.Migration):
    dependencies = [
        ("apikeys", "0013_usage_by_month"),
        ("django_tasks_database", "0001_initial"),
    ]

    operations = [
        # The table keeps its name: the release before goes on using it.
        migrations.AlterModelTable("Letter", "apikeys_letter"),
        migrations.RenameModel("Letter", "Email"),
        migrations.AlterModelOptions("Email", {"verbose_name": "e-mail"}),
        migrations.RunPython(
            rename_tasks(MOVED),
            rename_tasks({after: before for before, after in MOVED.items()}),
        ),
    ]
