"""Fill the texts that searches of keys and of the audit log look in, some rows at a time, while the site serves.

Where this stops half-way, run it again.
"""

from django.db import migrations

BATCH_SIZE = 2000


def fill(apps, schema_editor):
    for name in ("ApiKey", "AuditEntry"):
        model = apps.get_model("apikeys", name)
        column = model._meta.get_field("search_text")
        rows = model.objects.order_by("pk")
        last = 0
        while batch := list(rows.filter(pk__gt=last)[:BATCH_SIZE]):
            for row in batch:
                column.pre_save(row, add=False)
            model.objects.bulk_update(batch, ["search_text"])
            last = batch[-1].pk


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("apikeys", "0026_search_text")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
