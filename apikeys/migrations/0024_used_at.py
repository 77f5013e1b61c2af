"""Note when a key was last let in, apart from when it was last tried."""

from django.db import migrations, models
from django.db.models import Case, F, Max, OuterRef, Subquery, When

REFUSED = (401, 403, 429)


def fill(apps, schema_editor):
    """Take the time of the newest request, or where that was refused, the newest that was counted as let in."""
    LastUse = apps.get_model("apikeys", "LastUse")
    Usage = apps.get_model("apikeys", "Usage")
    let_in = Usage.objects.filter(key_id=OuterRef("key_id")).exclude(outcome="refused").order_by()
    newest = let_in.values("key_id").annotate(newest=Max("last_at")).values("newest")
    LastUse.objects.update(used_at=Case(When(status_code__in=REFUSED, then=Subquery(newest)), default=F("at")))


class Migration(migrations.Migration):
    dependencies = [("apikeys", "0023_notices")]

    operations = [
        migrations.AddField(
            model_name="lastuse",
            name="used_at",
            field=models.DateTimeField(help_text="Its newest request that was let in; null for none.", null=True),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop, elidable=True),
    ]
