"""Tables of usage without foreign keys. The figures come over in the next migration.

The release before goes on writing to its own tables, which stay, without their constraints: nobody there misses
those, and a key can be deleted whatever is counted of it.
"""

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Exists, OuterRef

# As whoever writes usage or deletes a key takes them: its row among the writers, stores, keys, what refers to those.
LOCKED = (
    "apikeys_usagewriter, stores_store, apikeys_apikey, apikeys_knownnetwork, apikeys_apikeyusage, "
    "apikeys_refusalusage, apikeys_storeusage, apikeys_lastuse"
)


def lock_tables(apps, schema_editor):
    """Take all locks at once, so that this and a flush that is under way cannot wait for each other."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(f"LOCK TABLE {LOCKED} IN ACCESS EXCLUSIVE MODE")


def delete_rows_of_deleted_keys(apps, schema_editor):
    """Make the constraints hold again."""
    is_gone = ~Exists(apps.get_model("apikeys", "ApiKey").objects.filter(pk=OuterRef("key_id")))
    for name in ("KnownNetwork", "LastUse"):
        apps.get_model("apikeys", name).objects.filter(is_gone).delete()


class Migration(migrations.Migration):

    dependencies = [
        ('apikeys', '0016_email_address'),
        ('stores', '0002_store_changed_at'),
    ]

    operations = [
        migrations.RunPython(lock_tables, migrations.RunPython.noop),
        migrations.AlterField(
            model_name='apikeyusage',
            name='key',
            field=models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='usage', to='apikeys.apikey'),
        ),
        migrations.AlterField(
            model_name='refusalusage',
            name='key',
            field=models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='refusals', to='apikeys.apikey'),
        ),
        migrations.AlterField(
            model_name='storeusage',
            name='store',
            field=models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='usage', to='stores.store'),
        ),
        migrations.AlterField(
            model_name='knownnetwork',
            name='key',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='apikeys.apikey'),
        ),
        migrations.AlterField(
            model_name='lastuse',
            name='key',
            field=models.OneToOneField(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, primary_key=True, related_name='last_use', serialize=False, to='apikeys.apikey'),
        ),
        migrations.RunPython(migrations.RunPython.noop, delete_rows_of_deleted_keys),
        # The release before uses their tables until it has ended. A later release takes them away.
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.DeleteModel('ApiKeyUsage'),
                migrations.DeleteModel('RefusalUsage'),
                migrations.DeleteModel('StoreUsage'),
            ],
        ),
        migrations.CreateModel(
            name='StoreUsage',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField()),
                ('outcome', models.CharField(choices=[('succeeded', 'Succeeded'), ('refused', 'Refused'), ('failed', 'Failed')], max_length=9)),
                ('requests', models.PositiveBigIntegerField()),
                ('store', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='stores.store')),
            ],
            options={
                'verbose_name': 'usage by store',
                'verbose_name_plural': 'usage by store',
                'db_table': 'apikeys_usage_by_store',
                'constraints': [models.UniqueConstraint(fields=('store', 'day', 'outcome'), name='usage_by_store_is_one_row')],
            },
        ),
        migrations.CreateModel(
            name='Usage',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField()),
                ('resource', models.CharField(blank=True, choices=[('products', 'Products'), ('categories', 'Categories'), ('orders', 'Orders'), ('customers', 'Customers'), ('coupons', 'Coupons')], help_text='Blank: a route of no resource.', max_length=20)),
                ('access', models.CharField(blank=True, choices=[('read', 'Read'), ('write', 'Write')], help_text='Blank: refused before its access was looked at.', max_length=5)),
                ('outcome', models.CharField(choices=[('succeeded', 'Succeeded'), ('refused', 'Refused'), ('failed', 'Failed')], max_length=9)),
                ('reason', models.CharField(blank=True, help_text="Why it was refused, by the error's code; blank for all other requests.", max_length=40)),
                ('requests', models.PositiveBigIntegerField()),
                ('last_at', models.DateTimeField()),
                ('key', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='usage', to='apikeys.apikey')),
                ('store', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='stores.store')),
            ],
            options={
                'verbose_name': 'usage by key',
                'verbose_name_plural': 'usage by key',
                'indexes': [models.Index(fields=['store', 'day'], name='usage_of_store')],
                'constraints': [models.UniqueConstraint(fields=('key', 'day', 'resource', 'access', 'outcome', 'reason', 'store'), name='usage_is_one_row'), models.CheckConstraint(condition=models.Q(('outcome__in', ['succeeded', 'refused', 'failed'])), name='usage_outcome_is_known')],
            },
        ),
    ]
