"""Store every account's e-mail address in lower case, and make it unique.

Accounts that differ only in the capitals of their address are left to a person: which of them is whose cannot
be decided here.
"""

from collections import defaultdict
from typing import Any

from django.core.management import CommandError
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

DUPLICATES = (
    "Some accounts have the same e-mail address apart from capitals. Keep one of each: change the address of "
    "the others, or delete them, then migrate again."
)


def normalize_addresses(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    User = apps.get_model("auth", "User")
    accounts = defaultdict(list)
    for user in User.objects.using(schema_editor.connection.alias).exclude(email="").order_by("pk"):
        accounts[user.email.strip().lower()].append(user)
    duplicates = {email: users for email, users in accounts.items() if len(users) > 1}
    if duplicates:
        lines = [f"{email}: {', '.join(map(describe, users))}" for email, users in duplicates.items()]
        raise CommandError("\n".join([DUPLICATES, *lines]))
    for email, (user,) in accounts.items():
        if user.email != email:
            user.email = email
            user.save(update_fields=["email"])


def describe(user: Any) -> str:
    last_login = f"last sign-in {user.last_login:%Y-%m-%d}" if user.last_login else "never signed in"
    return f"account {user.pk} ({user.username}, {last_login})"


class Migration(migrations.Migration):
    dependencies = [("reflow", "0001_cache_table"), ("auth", "0012_alter_user_first_name_max_length")]

    operations = [
        migrations.RunPython(normalize_addresses, migrations.RunPython.noop),
        # The model is Django's: no constraint can be added to it but in SQL.
        migrations.RunSQL(
            "CREATE UNIQUE INDEX auth_user_email_is_unique ON auth_user (LOWER(email)) WHERE email <> ''",
            "DROP INDEX auth_user_email_is_unique",
        ),
    ]
