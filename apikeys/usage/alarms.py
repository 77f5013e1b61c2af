"""Requests that owners are told of at once: any with a canary, and what a new fence refuses.

The writer queues a task for a worker, which tells the owners at most once an hour for each key.
"""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from django.utils import timezone

from apikeys import client_ip, emails
from apikeys.formats import exact_time
from apikeys.models import ApiKey, LoggedRequest, Notice, Refusal, Reminder
from apikeys.models.key import KeyRules
from apikeys.models.usage import REFUSED_STATUS_CODES
from apikeys.tasks import task
from apikeys.usage.batch import KeyRequest

PAUSE = timedelta(hours=1)
KINDS = (Notice.CANARY, Notice.FENCE)
MAX_CLIENTS = 1000
# What a fence refuses for.
FENCE_REASONS = frozenset({"address_not_allowed", "resource_not_allowed"})


def is_alarm(key: KeyRules, reason: str | None, at: datetime) -> bool:
    """Whether the owners of a key are told at once of a request that ended with this reason."""
    return key.is_canary or (reason in FENCE_REASONS and key.is_gate_open(at))


def queue_alarms(requests: Mapping[int, KeyRequest]) -> None:
    """Queue a task for the newest such request of each key whose owners were not told within the hour.

    Runs in the caller's transaction, so that a batch that is written again tells of its alarms too.
    """
    if not requests:
        return
    told = told_lately(requests)
    for key_id, request in sorted(requests.items()):
        if key_id not in told:
            tell_of_alarm.enqueue(
                key_id,
                f"{request.method} {request.path}",
                str(request.address or ""),
                request.client,
                request.at.isoformat(),
            )


@task()
def tell_of_alarm(key_id: int, what: str, address: str, client: str, at: str) -> None:
    """Tell the owners of a key that it was used, unless they were told within the hour."""
    key = ApiKey.objects.select_related("store").filter(pk=key_id).first()
    # Many tasks wait together where a worker was away: the next hour of the clock begins in between.
    if key is None or told_lately([key_id]):
        return
    hour = timezone.now().replace(minute=0, second=0, microsecond=0)
    if key.is_canary:
        emails.send_notice_once(
            Notice.CANARY,
            key,
            hour,
            facts=[
                ("Where it was put", key.note),
                ("Request", what),
                ("From", f"{address} (network {client_ip.network_around(address)})" if address else ""),
                ("With", client),
                ("When", datetime.fromisoformat(at)),
            ],
        )
    elif key.fenced_at:
        refused = Refusal.objects.open().filter(key=key, reason__in=FENCE_REASONS, last_at__gte=key.fenced_at)
        clients = clients_of(key)
        if lines := [describe(refusal, clients) for refusal in refused.order_by("-last_at")]:
            emails.send_notice_once(Notice.FENCE, key, hour, facts=[("Fenced", key.fenced_at)], lines=lines)


def clients_of(key: ApiKey) -> set[str]:
    """Return the programs that were let in with the key, as far as it is logged."""
    worked = LoggedRequest.objects.filter(key=key).exclude(status__in=REFUSED_STATUS_CODES)
    return set(worked.order_by().values_list("client", flat=True).distinct()[:MAX_CLIENTS])


def describe(refusal: Refusal, clients: Collection[str]) -> str:
    """Return what was refused, to which program, how often and when; one of ``clients`` was let in before."""
    cause = refusal.scope or refusal.address or "further addresses"
    client = refusal.client or "program not known"
    kind = "same program" if refusal.client in clients else "another program"
    requests = f"{refusal.requests} request{'s' if refusal.requests > 1 else ''}"
    return f"{cause}, {kind} ({client}): {requests}, last {exact_time(refusal.last_at)}"


def told_lately(keys: Collection[int]) -> set[int]:
    """Return those keys, by their ids, whose owners were told within the hour."""
    lately = Reminder.objects.filter(kind__in=KINDS, at__gt=timezone.now() - PAUSE)
    return set(lately.filter(key__in=keys).values_list("key_id", flat=True))
