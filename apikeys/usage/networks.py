"""Networks that keys are used from: they are remembered, and owners who asked for it are told of new ones."""

from collections.abc import Mapping, Sequence

from apikeys import emails
from apikeys.models import ApiKey, KnownNetwork
from apikeys.models.notification import MAX_KNOWN_NETWORKS
from apikeys.usage.batch import KeyRequest

KEYS_PER_QUERY = 200


def record_networks(uses: Mapping[tuple[int, str], KeyRequest]) -> None:
    """Remember the networks that keys were used from: ``uses`` has the first request of each key and network.

    What a key's first network is tells nobody. Runs in the caller's transaction, so that a batch that is
    written again has its networks and e-mails too.
    """
    seen = sorted(uses.items(), key=lambda item: (item[0][0], item[1].at))
    for start in range(0, len(seen), KEYS_PER_QUERY):
        _record_some(seen[start : start + KEYS_PER_QUERY])


def _record_some(seen: Sequence[tuple[tuple[int, str], KeyRequest]]) -> None:
    key_ids, networks = {key_id for (key_id, _), _ in seen}, {network for (_, network), _ in seen}
    known = set(
        KnownNetwork.objects.filter(key__in=key_ids, network__in=networks).values_list("key_id", "network")
    )
    for (key_id, network), use in seen:
        if (key_id, network) not in known:
            _record_new(key_id, network, use)


def _record_new(key_id: int, network: str, use: KeyRequest) -> None:
    keys = ApiKey.objects.select_related("store").select_for_update(of=("self",), no_key=True)
    key = keys.filter(pk=key_id).first()
    if key is None:
        return
    # Read again under the lock: another process may just have recorded the same.
    known = set(KnownNetwork.objects.filter(key=key).values_list("network", flat=True))
    if network in known or len(known) >= MAX_KNOWN_NETWORKS:
        return
    KnownNetwork.objects.create(key=key, network=network, first_used_at=use.at)
    if known:
        emails.send_new_network(key, network=network, address=str(use.address), at=use.at)
