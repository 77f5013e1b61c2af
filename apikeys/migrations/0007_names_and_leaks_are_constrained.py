from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('apikeys', '0006_fill_audit_log'),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='apikey',
            name='api_key_name_is_unique_in_store',
        ),
        migrations.AddConstraint(
            model_name='apikey',
            constraint=models.UniqueConstraint(condition=models.Q(('superseded_at', None), models.Q(('comparable_name', ''), _negated=True)), fields=('store', 'comparable_name'), name='api_key_name_is_unique_in_store'),
        ),
        migrations.AddConstraint(
            model_name='apikey',
            constraint=models.CheckConstraint(condition=models.Q(('leaked_at', None), models.Q(('deactivated_at__isnull', False), ('reactivates_at', None)), _connector='OR'), name='api_key_leaked_is_off_for_good'),
        ),
    ]
