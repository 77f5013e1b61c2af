"""Reminders by the calendar: keys that expire, expired keys still called, the monthly review.

``manage.py daily`` calls these. Whatever they tell is noted in the same transaction, so that it is told once
however often, and on however many machines, they run.
"""

from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.urls import reverse
from django.utils import timezone

from apikeys import emails
from apikeys.models import ApiKey, Notice, NotificationSettings
from apikeys.models.key import grouped_by_state
from apikeys.models.state import attention_lines
from stores.models import Store

# Of keys that end after the first and until the second. The work is done once a day: an e-mail "a week
# before" has to leave by then.
REMINDERS = (
    (Notice.DAY_BEFORE, timedelta(days=0), timedelta(days=2)),
    (Notice.WEEK_BEFORE, timedelta(days=2), timedelta(days=8)),
)


def remind_of_expiry() -> None:
    """Tell owners of keys that expire within a week, and again of those that expire within a day.

    Nobody is told of an expiry that is nearer to the key's creation than that: they have just chosen it. The
    successor of a rolled key may have inherited its end; the rolled key itself is meant to end. One that
    renews itself is told of once it should have.
    """
    now = timezone.now()
    for notice, after, until in REMINDERS:
        was_not_just_chosen = Q(expires_at__gt=F("created_at") + until)
        is_inherited = Q(predecessor__isnull=False, renews_days=None)
        expiring = (
            ApiKey.objects.kept()
            .usable()
            .filter(
                was_not_just_chosen | is_inherited,
                Q(renewal_due_at=None) | Q(renewal_due_at__lte=now),
                expires_at__gt=now + after,
                expires_at__lte=now + until,
                superseded_at=None,
            )
        )
        for key in expiring.select_related("store", "last_use").iterator():
            _remind(key, notice)


def remind_of_expired_keys() -> None:
    """Tell owners once of keys that were called after they had expired and that nobody turned off."""
    called = ApiKey.objects.kept().in_state("still-called")
    for key in called.select_related("store", "last_use").iterator():
        _remind(key, Notice.OLD_STILL_CALLED if key.superseded_at else Notice.STILL_CALLED)


def send_monthly_reviews() -> None:
    """Tell owners once a month what needs attention in their stores, where something does."""
    for store in Store.objects.filter(api_keys__isnull=False).distinct().iterator():
        recipients = list(NotificationSettings.objects.recipients(store, "monthly_review"))
        keys = grouped_by_state().for_store(store).kept()
        lines = attention_lines(keys.count_by_state()) if recipients else []
        url = f"{settings.SITE_URL}{reverse('apikeys:list', args=[store.pk])}?status="
        listed = [f"{sentence}:\n  {url}{state.name}" for state, sentence in lines if state.in_review]
        for owner in recipients if listed else []:
            with transaction.atomic():
                if NotificationSettings.objects.claim_review(store, owner):
                    emails.send_notice(Notice.REVIEW, store, lines=listed, recipients=[owner])


@transaction.atomic
def _remind(key: ApiKey, notice: Notice) -> None:
    """Send one reminder about the key's expiry, unless somebody has changed that or deleted the key."""
    unchanged = ApiKey.objects.filter(pk=key.pk, expires_at=key.expires_at)
    if key.expires_at and unchanged.select_for_update(no_key=True).first():
        last_use = getattr(key, "last_use", None)
        emails.send_notice_once(
            notice,
            key,
            key.expires_at,
            facts=[
                ("Expiry", key.expires_at),
                ("Last request", last_use and last_use.at),
                ("From", last_use and last_use.address),
            ],
        )
