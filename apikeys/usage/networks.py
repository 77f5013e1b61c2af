"""Networks that keys are used from: they are remembered, and owners who asked for it are told of new ones."""

from collections.abc import Mapping
from datetime import datetime

from apikeys import emails
from apikeys.models import ApiKey, KnownNetwork, Notice
from apikeys.models.notification import MAX_KNOWN_NETWORKS
from apikeys.tasks import task
from apikeys.usage.batch import KeyRequest


def record_networks(uses: Mapping[tuple[int, str], KeyRequest]) -> None:
    """Remember the networks that keys were used from: ``uses`` has the first request of each key and network.

    A worker tells of them, unless it is the key's first. Runs in the caller's transaction, so that a batch
    that is written again has its networks and e-mails too.
    """
    keys = {key_id for key_id, _ in uses}
    of_uses = KnownNetwork.objects.filter(key__in=keys, network__in={network for _, network in uses})
    new = uses.keys() - set(of_uses.values_list("key_id", "network"))
    if not new:
        return  # as nearly always
    known: dict[int, set[str]] = {key_id: set() for key_id, _ in new}
    for key_id, network in KnownNetwork.objects.filter(key__in=known).values_list("key_id", "network"):
        known[key_id].add(network)
    rows = []
    for key_id, network in sorted(new, key=lambda of_key: uses[of_key].at):
        use = uses[key_id, network]
        if network in known[key_id] or len(known[key_id]) >= MAX_KNOWN_NETWORKS:
            continue
        if known[key_id]:
            tell_of_network.enqueue(key_id, network, str(use.address), use.at.isoformat())
        known[key_id].add(network)
        rows.append(KnownNetwork(key_id=key_id, network=network, first_used_at=use.at))
    # Another process may record the same at this instant: an owner is told once a day in any case.
    rows.sort(key=lambda row: (row.key_id, row.network))
    KnownNetwork.objects.bulk_create(rows, ignore_conflicts=True)


@task()
def tell_of_network(key_id: int, network: str, address: str, at: str) -> None:
    """Tell owners who asked for it, once a day a key, that it was used from a network for the first time."""
    key = ApiKey.objects.select_related("store").filter(pk=key_id).first()
    used_at = datetime.fromisoformat(at)
    if key:
        emails.send_notice_once(
            Notice.NEW_NETWORK,
            key,
            used_at.replace(hour=0, minute=0, second=0, microsecond=0),
            facts=[("Address", f"{address} (network {network})"), ("When", used_at)],
        )
