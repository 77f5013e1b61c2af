"""Keep that a token is taken with its exchange, which outlives the trust.

The table of the release before stays, so that its processes go on. A token that they take after this, or that the
next release has taken where one goes back, is known to the other release only, and each is good for some minutes.
"""

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Exists, OuterRef

NOBODYS = 0
BATCH = 1000


def copy_used_tokens(apps, schema_editor):
    """Remember the tokens that were taken, of whichever trust that was."""
    exchanges = apps.get_model("apikeys", "TokenExchange").objects
    used = apps.get_model("apikeys", "UsedToken").objects.values_list("digest", flat=True)
    reason = "It was exchanged before this release."
    exchanges.bulk_create(
        [exchanges.model(trust_id=NOBODYS, reason=reason, token_digest=digest) for digest in used],
        batch_size=BATCH,
    )


def delete_exchanges_of_deleted_trusts(apps, schema_editor):
    """Make the constraint hold again."""
    is_there = Exists(apps.get_model("apikeys", "Trust").objects.filter(pk=OuterRef("trust_id")))
    apps.get_model("apikeys", "TokenExchange").objects.exclude(is_there).delete()


class Migration(migrations.Migration):

    dependencies = [
        ('apikeys', '0028_fill_used_at'),
    ]

    operations = [
        migrations.AddField(
            model_name='tokenexchange',
            name='token_digest',
            field=models.CharField(editable=False, help_text='SHA-256 of the issuer and jti; null: it may come again.', max_length=64, null=True),
        ),
        migrations.AlterField(
            model_name='tokenexchange',
            name='trust',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='exchanges', to='apikeys.trust'),
        ),
        migrations.RunPython(copy_used_tokens, delete_exchanges_of_deleted_trusts),
        migrations.AddConstraint(
            model_name='tokenexchange',
            constraint=models.UniqueConstraint(fields=('token_digest',), name='exchange_takes_a_token_once'),
        ),
        migrations.SeparateDatabaseAndState(state_operations=[migrations.DeleteModel(name='UsedToken')]),
    ]
