from django.db import migrations

# What was told of a rolled key is kept under the name of what is sent of it.
RENAME = """
    UPDATE apikeys_reminder SET kind = 'old_called'
    WHERE kind = 'still_called'
    AND key_id IN (SELECT id FROM apikeys_apikey WHERE superseded_at IS NOT NULL)
"""


class Migration(migrations.Migration):
    dependencies = [("apikeys", "0029_token_is_taken_once")]

    operations = [migrations.RunSQL(RENAME, migrations.RunSQL.noop)]
