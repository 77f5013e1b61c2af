import django.db.models.functions.text
import django.db.models.lookups
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('stores', '0004_fill_folded_columns'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='coupon',
            index=models.Index(fields=['store', 'updated_at', 'id'], name='coupon_updated_in_store'),
        ),
        migrations.AddIndex(
            model_name='customer',
            index=models.Index(fields=['store', 'updated_at', 'id'], name='customer_updated_in_store'),
        ),
        migrations.AddIndex(
            model_name='order',
            index=models.Index(fields=['store', 'updated_at', 'id'], name='order_updated_in_store'),
        ),
        migrations.AddIndex(
            model_name='product',
            index=models.Index(fields=['store', 'name_key', '-id'], name='product_name_in_store'),
        ),
        migrations.AddIndex(
            model_name='product',
            index=models.Index(fields=['store', 'updated_at', 'id'], name='product_updated_in_store'),
        ),
        migrations.AddConstraint(
            model_name='category',
            constraint=models.UniqueConstraint(models.F('store'), django.db.models.functions.text.Lower('handle'), name='category_handle_is_unique_in_store', violation_error_code='unique:handle', violation_error_message='Another one has this handle.'),
        ),
        migrations.AddConstraint(
            model_name='category',
            constraint=models.CheckConstraint(condition=models.Q(django.db.models.lookups.Exact(django.db.models.functions.text.Lower('handle'), django.db.models.functions.text.Upper('handle')), _negated=True), name='category_handle_has_a_letter', violation_error_code='handle', violation_error_message='Must have a letter in it: digits alone are an id.'),
        ),
        migrations.AddConstraint(
            model_name='coupon',
            constraint=models.UniqueConstraint(fields=('store', 'code_key'), condition=models.Q(('code_key', ''), _negated=True), name='coupon_code_is_unique_in_store', violation_error_code='unique:code', violation_error_message='Another coupon has this code.'),
        ),
        migrations.AddConstraint(
            model_name='customer',
            constraint=models.UniqueConstraint(fields=('store', 'email_key'), condition=models.Q(('email_key', ''), _negated=True), name='customer_email_is_unique_in_store', violation_error_code='unique:email', violation_error_message='Another customer has this e-mail address.'),
        ),
        migrations.AddConstraint(
            model_name='product',
            constraint=models.UniqueConstraint(models.F('store'), django.db.models.functions.text.Lower('handle'), name='product_handle_is_unique_in_store', violation_error_code='unique:handle', violation_error_message='Another one has this handle.'),
        ),
        migrations.AddConstraint(
            model_name='product',
            constraint=models.CheckConstraint(condition=models.Q(django.db.models.lookups.Exact(django.db.models.functions.text.Lower('handle'), django.db.models.functions.text.Upper('handle')), _negated=True), name='product_handle_has_a_letter', violation_error_code='handle', violation_error_message='Must have a letter in it: digits alone are an id.'),
        ),
    ]
