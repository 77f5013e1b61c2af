"""Fill when keys were last let in, some rows at a time: requests are counted in the same rows meanwhile.

Where this stops half-way, run it again.
"""

from django.db import migrations
from django.db.models import Case, F, Max, OuterRef, Subquery, When

REFUSED = (401, 403, 429)
BATCH_SIZE = 2000


def fill(apps, schema_editor):
    """Take the time of the newest request, or where that was refused, the newest that was counted as let in."""
    LastUse = apps.get_model("apikeys", "LastUse")
    Usage = apps.get_model("apikeys", "Usage")
    let_in = Usage.objects.filter(key_id=OuterRef("key_id")).exclude(outcome="refused").order_by()
    newest = let_in.values("key_id").annotate(newest=Max("last_at")).values("newest")
    used_at = Case(When(status_code__in=REFUSED, then=Subquery(newest)), default=F("at"))
    keys = LastUse.objects.filter(used_at=None).order_by("key_id").values_list("key_id", flat=True)
    last = 0
    while batch := list(keys.filter(key_id__gt=last)[:BATCH_SIZE]):
        LastUse.objects.filter(key_id__in=batch, used_at=None).update(used_at=used_at)
        last = batch[-1]


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("apikeys", "0027_fill_search_text")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
