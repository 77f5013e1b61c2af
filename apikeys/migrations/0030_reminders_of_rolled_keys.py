from django.db import migrations

# What was told of a rolled key is kept under the name of what is sent of it.
RENAME = """
    UPDATE apikeys_reminder SET kind = 'old_called'
    WHERE kind = 'still_called'
    AND key_id IN (SELECT id FROM apikeys_apikey WHERE superseded_at IS NOT NULL)
    AND NOT EXISTS (
        SELECT 1 FROM apikeys_reminder AS told
        WHERE told.kind = 'old_called'
        AND told.key_id = apikeys_reminder.key_id AND told.about = apikeys_reminder.about
    )
"""


class Migration(migrations.Migration):
    dependencies = [("apikeys", "0029_token_is_taken_once")]

    operations = [migrations.RunSQL(RENAME, migrations.RunSQL.noop)]
