import django.db.models.deletion
import django.db.models.functions.datetime
import django.utils.timezone
import stores.models.changes
import stores.models.columns
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('stores', '0002_store_changed_at'),
    ]

    operations = [
        migrations.CreateModel(
            name='Change',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('transaction_id', models.BigIntegerField(db_default=stores.models.changes.TransactionId(), editable=False)),
                ('resource', models.CharField(choices=[('products', 'Products'), ('categories', 'Categories'), ('orders', 'Orders'), ('customers', 'Customers'), ('coupons', 'Coupons')], max_length=10)),
                ('object_id', models.BigIntegerField()),
                ('event', models.CharField(choices=[('created', 'Created'), ('updated', 'Updated'), ('deleted', 'Deleted')], max_length=7)),
                ('at', models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                'ordering': ('transaction_id', 'id'),
            },
        ),
        migrations.AlterModelOptions(
            name='category',
            options={'default_related_name': 'categories', 'ordering': ('position', 'name', 'id'), 'verbose_name_plural': 'categories'},
        ),
        migrations.AlterModelOptions(
            name='coupon',
            options={'default_related_name': 'coupons', 'ordering': ('-created_at', '-id')},
        ),
        migrations.AlterModelOptions(
            name='customer',
            options={'default_related_name': 'customers', 'ordering': ('-created_at', '-id')},
        ),
        migrations.AlterModelOptions(
            name='order',
            options={'default_related_name': 'orders', 'ordering': ('-created_at', '-id')},
        ),
        migrations.AlterModelOptions(
            name='product',
            options={'default_related_name': 'products', 'ordering': ('-created_at', '-id')},
        ),
        migrations.RemoveConstraint(
            model_name='category',
            name='category_handle_is_unique_in_store',
        ),
        migrations.RemoveConstraint(
            model_name='coupon',
            name='coupon_code_is_unique_in_store',
        ),
        migrations.RemoveConstraint(
            model_name='customer',
            name='customer_email_is_unique_in_store',
        ),
        migrations.RemoveConstraint(
            model_name='product',
            name='product_handle_is_unique_in_store',
        ),
        migrations.RemoveIndex(
            model_name='product',
            name='product_name_in_store',
        ),
        migrations.AddField(
            model_name='category',
            name='updated_at',
            field=models.DateTimeField(auto_now=True, db_default=django.db.models.functions.datetime.Now()),
        ),
        migrations.AddField(
            model_name='coupon',
            name='code_key',
            field=stores.models.columns.FoldedField(db_default='', editable=False, max_length=320, sources=('code',)),
        ),
        migrations.AddField(
            model_name='coupon',
            name='updated_at',
            field=models.DateTimeField(auto_now=True, db_default=django.db.models.functions.datetime.Now()),
        ),
        migrations.AddField(
            model_name='customer',
            name='email_key',
            field=stores.models.columns.FoldedField(db_default='', editable=False, max_length=320, sources=('email',)),
        ),
        migrations.AddField(
            model_name='customer',
            name='name_key',
            field=stores.models.columns.SortKeyField(db_default='', editable=False, max_length=100, sources=('name',)),
        ),
        migrations.AddField(
            model_name='customer',
            name='search_text',
            field=stores.models.columns.FoldedField(db_default='', editable=False, sources=('name', 'email', 'phone', 'postcode')),
        ),
        migrations.AddField(
            model_name='customer',
            name='updated_at',
            field=models.DateTimeField(auto_now=True, db_default=django.db.models.functions.datetime.Now()),
        ),
        migrations.AddField(
            model_name='order',
            name='search_text',
            field=stores.models.columns.FoldedField(db_default='', editable=False, sources=('reference', 'recipient', 'postcode', 'tracking_number', 'note')),
        ),
        migrations.AddField(
            model_name='product',
            name='name_key',
            field=stores.models.columns.SortKeyField(db_default='', editable=False, max_length=100, sources=('name',)),
        ),
        migrations.AddField(
            model_name='product',
            name='personalization_items',
            field=models.JSONField(blank=True, db_default=[], default=list, editable=False),
        ),
        migrations.AddField(
            model_name='product',
            name='search_text',
            field=stores.models.columns.FoldedField(db_default='', editable=False, sources=('name', 'description', 'sku')),
        ),
        migrations.AddField(
            model_name='productvariant',
            name='search_text',
            field=stores.models.columns.FoldedField(db_default='', editable=False, sources=('sku',)),
        ),
        migrations.AlterField(
            model_name='category',
            name='description',
            field=models.TextField(blank=True, max_length=20000),
        ),
        migrations.AlterField(
            model_name='category',
            name='handle',
            field=models.SlugField(db_index=False, max_length=120),
        ),
        migrations.AlterField(
            model_name='category',
            name='store',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, to='stores.store'),
        ),
        migrations.AlterField(
            model_name='coupon',
            name='store',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, to='stores.store'),
        ),
        migrations.AlterField(
            model_name='customer',
            name='store',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, to='stores.store'),
        ),
        migrations.AlterField(
            model_name='order',
            name='store',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, to='stores.store'),
        ),
        migrations.AlterField(
            model_name='order',
            name='updated_at',
            field=models.DateTimeField(auto_now=True, db_default=django.db.models.functions.datetime.Now()),
        ),
        migrations.AlterField(
            model_name='product',
            name='description',
            field=models.TextField(blank=True, help_text='Plain text; a blank line begins a paragraph.', max_length=20000),
        ),
        migrations.AlterField(
            model_name='product',
            name='handle',
            field=models.SlugField(db_index=False, max_length=120),
        ),
        migrations.AlterField(
            model_name='product',
            name='personalization',
            field=models.BooleanField(default=False, help_text='Buyers may add something of their own.'),
        ),
        migrations.AlterField(
            model_name='product',
            name='store',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, to='stores.store'),
        ),
        migrations.AlterField(
            model_name='product',
            name='updated_at',
            field=models.DateTimeField(auto_now=True, db_default=django.db.models.functions.datetime.Now()),
        ),
        migrations.AddField(
            model_name='change',
            name='store',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='stores.store'),
        ),
        migrations.AddIndex(
            model_name='change',
            index=models.Index(fields=['store', 'transaction_id', 'id'], name='change_place_in_store'),
        ),
        migrations.AddConstraint(
            model_name='change',
            constraint=models.CheckConstraint(condition=models.Q(('event__in', ('created', 'updated', 'deleted'))), name='change_event_is_known'),
        ),
    ]
