from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("stores", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="store",
            name="changed_at",
            field=models.DateTimeField(editable=False, null=True),
        ),
    ]
