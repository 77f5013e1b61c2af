"""Note when a key was last let in, apart from when it was last tried. ``0028_fill_used_at`` fills it."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("apikeys", "0023_notices")]

    operations = [
        migrations.AddField(
            model_name="lastuse",
            name="used_at",
            field=models.DateTimeField(help_text="Its newest request that was let in; null for none.", null=True),
        ),
    ]
