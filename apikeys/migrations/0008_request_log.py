import django.db.models.deletion
from django.db import migrations, models


# The primary key of a partitioned table has to name the column that it is partitioned by. Rows whose day has
# no partition go to the default one.
PARTITIONED = """
    ALTER TABLE apikeys_loggedrequest RENAME TO apikeys_loggedrequest_plain;
    CREATE TABLE apikeys_loggedrequest (LIKE apikeys_loggedrequest_plain INCLUDING CONSTRAINTS)
        PARTITION BY RANGE (at);
    DROP TABLE apikeys_loggedrequest_plain;
    CREATE SEQUENCE apikeys_loggedrequest_id_seq OWNED BY apikeys_loggedrequest.id;
    ALTER TABLE apikeys_loggedrequest
        ALTER id SET DEFAULT nextval('apikeys_loggedrequest_id_seq'),
        ADD PRIMARY KEY (id, at);
    CREATE TABLE apikeys_loggedrequest_default PARTITION OF apikeys_loggedrequest DEFAULT;
"""


def partition_by_day(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        for statement in PARTITIONED.strip().split(";\n"):
            schema_editor.execute(statement)


class Migration(migrations.Migration):

    dependencies = [
        ('apikeys', '0007_names_and_leaks_are_constrained'),
        ('stores', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='HourlyUsage',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('hour', models.DateTimeField()),
                ('outcome', models.CharField(choices=[('succeeded', 'Succeeded'), ('refused', 'Refused'), ('failed', 'Failed')], max_length=9)),
                ('requests', models.PositiveBigIntegerField()),
                ('key', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='apikeys.apikey')),
                ('store', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='stores.store')),
            ],
            options={
                'verbose_name': 'usage by hour',
                'verbose_name_plural': 'usage by hour',
                'indexes': [models.Index(fields=['store', 'hour'], name='hourly_usage_of_store')],
                'constraints': [models.UniqueConstraint(fields=('key', 'hour', 'outcome'), name='hourly_usage_is_one_row')],
            },
        ),
        migrations.CreateModel(
            name='LoggedRequest',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('at', models.DateTimeField()),
                ('prefix', models.CharField(help_text="The key's, which may be deleted.", max_length=7)),
                ('method', models.CharField(max_length=10)),
                ('path', models.CharField(help_text='Without the query string.', max_length=200)),
                ('route', models.CharField(help_text='Such as /v1/stores/{store_id}/orders/; blank: none.', max_length=100)),
                ('resource', models.CharField(choices=[('products', 'Products'), ('categories', 'Categories'), ('orders', 'Orders'), ('customers', 'Customers'), ('coupons', 'Coupons')], help_text='Blank: none.', max_length=20)),
                ('access', models.CharField(choices=[('read', 'Read'), ('write', 'Write')], help_text='Blank: refused before its access was looked at.', max_length=5)),
                ('status', models.PositiveSmallIntegerField()),
                ('reason', models.CharField(help_text="The error's code; null: no error.", max_length=40, null=True)),
                ('milliseconds', models.PositiveIntegerField()),
                ('address', models.GenericIPAddressField(help_text='Null: not known.', null=True)),
                ('client', models.CharField(help_text='The User-Agent header.', max_length=200)),
                ('request_id', models.UUIDField()),
                ('key', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='apikeys.apikey')),
                ('store', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='stores.store')),
            ],
            options={
                'verbose_name': 'request',
            },
        ),
        migrations.RunPython(partition_by_day, migrations.RunPython.noop),
        migrations.AddIndex('loggedrequest', models.Index(fields=['store', '-at', '-id'], name='request_newest_of_store')),
        migrations.AddIndex('loggedrequest', models.Index(fields=['key', '-at', '-id'], name='request_newest_of_key')),
        migrations.AddIndex('loggedrequest', models.Index(condition=models.Q(('reason__isnull', False)), fields=['store', '-at', '-id'], name='request_errors_of_store')),
        migrations.AddIndex('loggedrequest', models.Index(condition=models.Q(('reason__isnull', False)), fields=['key', '-at', '-id'], name='request_errors_of_key')),
        migrations.AddIndex('loggedrequest', models.Index(condition=models.Q(('reason__isnull', False)), fields=['key', 'reason', '-at', '-id'], name='request_reasons_of_key')),
        migrations.AddIndex('loggedrequest', models.Index(fields=['request_id'], name='request_by_request_id')),
        migrations.CreateModel(
            name='RefusalUsage',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('date', models.DateField()),
                ('resource', models.CharField(blank=True, choices=[('products', 'Products'), ('categories', 'Categories'), ('orders', 'Orders'), ('customers', 'Customers'), ('coupons', 'Coupons')], max_length=20)),
                ('access', models.CharField(blank=True, choices=[('read', 'Read'), ('write', 'Write')], max_length=5)),
                ('reason', models.CharField(help_text="The error's code, such as api_key_expired.", max_length=40)),
                ('requests', models.PositiveBigIntegerField()),
                ('last_at', models.DateTimeField()),
                ('key', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='refusals', to='apikeys.apikey')),
            ],
            options={
                'verbose_name': 'refusals by key',
                'verbose_name_plural': 'refusals by key',
                'indexes': [models.Index(fields=['date'], name='refusal_usage_oldest')],
                'constraints': [models.UniqueConstraint(fields=('key', 'date', 'resource', 'access', 'reason'), name='refusal_usage_is_one_row')],
            },
        ),
    ]
