"""Rate limits: the requests that a key may make, and an address without one, in a minute.

Windows are whole minutes of the clock, counted in one atomic step: in this process's memory, or by the
``limits`` library in Redis or Valkey for all processes and machines together. While a server of counters is
away, requests that it counts go on uncounted, and one of them a second finds out whether it is back.
"""

import logging
import time
from typing import NamedTuple, cast

from django.apps import apps
from django.conf import settings
from limits.errors import StorageError
from prometheus_client import Counter
from rest_framework.request import Request

from apikeys import client_ip
from apikeys.api.call import get_call
from apikeys.api.counters import Counters
from apikeys.api.exceptions import ApiError
from apikeys.api.key_lookup import FoundKey

logger = logging.getLogger(__name__)

WINDOW_SECONDS = 60
RETRY_SECONDS = 1
LOG_EVERY_SECONDS = 60
MAX_EXCHANGES_A_MINUTE = 60

UNLIMITED = Counter("reflow_unlimited", "Requests let through while the counters of rate limits were away.")


class Allowance(NamedTuple):
    """The rest of a limit in this window, after the request that asked."""

    policy: str
    limit: int
    used: int
    resets_in: int

    @property
    def remaining(self) -> int:
        return max(0, self.limit - self.used)

    @property
    def is_exceeded(self) -> bool:
        return self.used > self.limit

    @property
    def headers(self) -> dict[str, str]:
        """After draft-ietf-httpapi-ratelimit-headers: q requests in w seconds, r left for t seconds."""
        return {
            "RateLimit-Policy": f'"{self.policy}";q={self.limit};w={WINDOW_SECONDS}',
            "RateLimit": f'"{self.policy}";r={self.remaining};t={self.resets_in}',
        }


class RateLimiter:
    """Counts requests against limits. Each process has one, on its AppConfig."""

    def __init__(self, counters: Counters) -> None:
        self.counters = counters
        # When to ask a server again that did not answer, by its name.
        self._retry_at: dict[str, float] = {}
        self._logged_at = float("-inf")

    def count(self, policy: str, client: str, limit: int) -> Allowance | None:
        """Count one request. Return what is left of the limit, or None while the counters are away."""
        window, second = divmod(int(time.time()), WINDOW_SECONDS)
        key = f"reflow/{policy}/{client}/{window}"
        server = self.counters.server_of(key)
        if not self._may_ask(server):
            UNLIMITED.inc()
            return None
        try:
            used = self.counters.incr(key, WINDOW_SECONDS)
        except StorageError as error:
            self._retry_at[server] = time.monotonic() + RETRY_SECONDS
            self._log(error)
            UNLIMITED.inc()
            return None
        if self._retry_at.pop(server, None) is not None:
            logger.warning("Rate limits are on again")
        return Allowance(policy, limit, used, WINDOW_SECONDS - second)

    def _may_ask(self, server: str) -> bool:
        """Whether the server is there, or it is time for this one request to try it."""
        now = time.monotonic()
        retry_at = self._retry_at.get(server)
        if retry_at is None:
            return True
        if now < retry_at:
            return False
        self._retry_at[server] = now + RETRY_SECONDS
        return True

    def _log(self, error: StorageError) -> None:
        """Log that counting fails, once a minute however many requests find out."""
        if time.monotonic() - self._logged_at >= LOG_EVERY_SECONDS:
            self._logged_at = time.monotonic()
            logger.error("Rate limits are off: their counters cannot be reached (%s)", error.storage_error)


def limiter() -> RateLimiter:
    """Return this process's rate limiter."""
    return cast("RateLimiter", apps.get_app_config("apikeys").rate_limiter)  # type: ignore[attr-defined]


def count_key(request: Request, key: FoundKey) -> None:
    """Count a request of a key. Raises ApiError beyond the key's own limit or the general one."""
    _count(request, "key", str(key.pk), key.rate_limit or settings.RATE_LIMIT_PER_KEY)


def count_address(request: Request) -> None:
    """Count a request without a key. Raises ApiError."""
    _count(request, "address", _client(request), settings.RATE_LIMIT_PER_ADDRESS)


def count_revocation(request: Request) -> None:
    """Count a report of leaked keys. Raises ApiError."""
    _count(request, "revoke", _client(request), settings.RATE_LIMIT_REVOCATIONS)


def count_failure(request: Request) -> None:
    """Count a key that does not exist, or a header without one. Raises ApiError beyond the limit of such.

    Only they are refused then: a good key from the same address goes on working.
    """
    _refuse_beyond(limiter().count("failures", _client(request), settings.RATE_LIMIT_FAILED_KEYS))


def count_exchange(trust_id: int) -> None:
    """Count a token that a trust takes. Raises ApiError beyond MAX_EXCHANGES_A_MINUTE."""
    _refuse_beyond(limiter().count("trust", str(trust_id), MAX_EXCHANGES_A_MINUTE))


def _count(request: Request, policy: str, client: str, limit: int) -> None:
    call = get_call(request)
    if call.is_counted:
        return  # the view runs once more, on another database
    call.is_counted = True
    # For the headers of the response.
    call.allowance = limiter().count(policy, client, limit)
    _refuse_beyond(call.allowance)


def _refuse_beyond(allowance: Allowance | None) -> None:
    if allowance is not None and allowance.is_exceeded:
        raise ApiError("rate_limited", wait=allowance.resets_in)


def _client(request: Request) -> str:
    return client_ip.counted_as(client_ip.client_ip(request))
