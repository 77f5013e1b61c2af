from django.db import migrations


class Migration(migrations.Migration):
    """A key's history is looked up in Django's log, which has no index for it and only ever grows."""

    dependencies = [
        ('admin', '0003_logentry_add_action_flag_choices'),
        ('apikeys', '0003_usage_is_written_once_and_pruned'),
    ]

    operations = [
        migrations.RunSQL(
            'CREATE INDEX admin_log_by_object ON django_admin_log (object_id, content_type_id)',
            'DROP INDEX admin_log_by_object',
        ),
    ]
