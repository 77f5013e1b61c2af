from typing import Any

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Count, F, Max, Min, Sum

MAX_ADDRESSES = 20
ROWS_AT_ONCE = 500


def fill(apps, schema_editor):
    """Make a row of each cause from what was counted by day. One that is older than its key's last change is fixed."""
    Refusal, RefusalUsage = (apps.get_model("apikeys", name) for name in ("Refusal", "RefusalUsage"))
    counted = RefusalUsage.objects.order_by("key", "reason").values(
        "key", "reason", "resource", "access", store=F("key__store"), changed_at=F("key__changed_at")
    )
    causes: dict[tuple[int, str, str, str], Any] = {}
    for row in counted.annotate(total=Sum("requests"), first=Min("last_at"), last=Max("last_at")).iterator():
        needs_scope = row["reason"] == "resource_not_allowed"
        scope = f"{row['resource']}:{row['access']}" if needs_scope else ""
        for address, total, first, last in by_address(apps, row):
            cause = causes.setdefault(
                (row["key"], row["reason"], scope, address),
                Refusal(
                    key_id=row["key"], store_id=row["store"], reason=row["reason"], scope=scope,
                    address=address, requests=0, first_at=first, last_at=last,
                ),
            )
            cause.requests += total
            cause.first_at, cause.last_at = min(cause.first_at, first), max(cause.last_at, last)
            if row["changed_at"] and cause.last_at <= row["changed_at"]:
                cause.settled_at, cause.settled_as = row["changed_at"], "fixed"
            else:
                cause.settled_at, cause.settled_as = None, ""
    Refusal.objects.bulk_create(causes.values(), ROWS_AT_ONCE, ignore_conflicts=True)


def by_address(apps, row):
    """Yield what was refused for its address by that, as far as the request log goes; all else in one piece."""
    rest, first, last = row["total"], row["first"], row["last"]
    if row["reason"] == "address_not_allowed":
        logged = apps.get_model("apikeys", "LoggedRequest").objects.filter(
            key=row["key"], reason=row["reason"], resource=row["resource"], address__isnull=False
        )
        groups = logged.values_list("address").annotate(Count("pk"), Min("at"), Max("at"))
        for address, *found in groups.order_by("-pk__count", "address")[:MAX_ADDRESSES]:
            yield address, *found
            rest -= found[0]
    if rest > 0:
        yield "", rest, first, last


class Migration(migrations.Migration):

    dependencies = [
        ('apikeys', '0014_email'),
        ('stores', '0002_store_changed_at'),
    ]

    operations = [
        migrations.CreateModel(
            name='Refusal',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('reason', models.CharField(help_text="The error's code, such as api_key_expired.", max_length=40)),
                ('scope', models.CharField(blank=True, help_text='Such as orders:read; blank where no scope was missing.', max_length=26)),
                ('address', models.CharField(blank=True, help_text='One that the key does not allow; blank: another cause, or all further addresses.', max_length=39)),
                ('client', models.CharField(blank=True, help_text='The User-Agent header of the newest request.', max_length=200)),
                ('requests', models.PositiveBigIntegerField()),
                ('first_at', models.DateTimeField()),
                ('last_at', models.DateTimeField()),
                ('settled_at', models.DateTimeField(null=True)),
                ('settled_as', models.CharField(blank=True, choices=[('fixed', 'Fixed'), ('left', 'Left refused')], max_length=5)),
                ('key', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='apikeys.apikey')),
                ('store', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='stores.store')),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('settled_at', None)), fields=['key', 'last_at'], name='refusal_open_of_key')],
                'constraints': [models.UniqueConstraint(fields=('key', 'reason', 'scope', 'address'), name='refusal_is_one_row_a_cause'), models.CheckConstraint(condition=models.Q(models.Q(('settled_as', ''), ('settled_at', None)), models.Q(('settled_as__in', ['fixed', 'left']), ('settled_at__isnull', False)), _connector='OR'), name='refusal_is_settled_as_something')],
            },
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
