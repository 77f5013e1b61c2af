"""How many requests a key may make, and an address without one, in a minute.

Windows are whole minutes of the clock, counted in one atomic step: in memory, or by the ``limits`` library
in Redis or Valkey for all machines together. When that server is away, requests go on uncounted, and one
of them a second finds out whether it is back.
"""

import logging
import threading
import time
from functools import lru_cache
from typing import NamedTuple

from django.conf import settings
from django.http import HttpRequest
from limits.errors import StorageError
from limits.storage import RedisStorage
from rest_framework.exceptions import Throttled

from apikeys import addresses
from apikeys.models import ApiKey
from apikeys.usage import metrics

logger = logging.getLogger(__name__)

WINDOW_SECONDS = 60
COMPLAIN_EVERY_SECONDS = 60
ASK_AGAIN_SECONDS = 1


class Allowance(NamedTuple):
    """What is left of a limit in this window, after the request that asked."""

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


class RateLimited(Throttled):
    default_code = "rate_limited"
    default_detail = "Too many requests."


def count_key(request: HttpRequest, key: ApiKey) -> None:
    """Count a request of a key. Raises RateLimited beyond the key's own limit or the general one."""
    _count(request, "key", str(key.pk), key.rate_limit or settings.RATE_LIMIT_PER_KEY)


def count_address(request: HttpRequest) -> None:
    """Count a request without a key. Raises RateLimited."""
    _count(request, "address", _address(request), settings.RATE_LIMIT_PER_ADDRESS)


def count_revocation(request: HttpRequest) -> None:
    """Count a report of leaked keys. Raises RateLimited."""
    _count(request, "revoke", _address(request), settings.RATE_LIMIT_REVOCATIONS)


def _count(request: HttpRequest, policy: str, whose: str, limit: int) -> None:
    allowance = _take(policy, whose, limit)
    request.api_allowance = allowance  # type: ignore[attr-defined]  # for the headers of the answer
    if allowance is not None and allowance.is_exceeded:
        raise RateLimited(wait=allowance.resets_in)


# Addresses that have presented too many keys that do not exist, and the window in which they did. Each
# process keeps its own, so that a request with a good key asks the counters no second time.
_barred: dict[str, int] = {}


def check_failures(request: HttpRequest) -> None:
    """Raise RateLimited where the address has guessed too often, before another guess is looked at."""
    if _barred:
        window, resets_in = _now()
        if _barred.get(_address(request)) == window:
            raise RateLimited(wait=resets_in)


def count_failure(request: HttpRequest) -> None:
    """Count a key that does not exist against the address it came from."""
    address = _address(request)
    allowance = _take("failures", address, settings.RATE_LIMIT_FAILED_KEYS)
    if allowance is not None and not allowance.remaining:
        window, _ = _now()
        for past, barred_in in list(_barred.items()):
            if barred_in != window:
                _barred.pop(past, None)
        _barred[address] = window


def _take(policy: str, whose: str, limit: int) -> Allowance | None:
    """What is left after one more request; None while the counters cannot be reached."""
    global _ask_again_at
    if not _may_ask():
        metrics.UNLIMITED.inc()
        return None
    window, resets_in = _now()
    try:
        used = storage().incr(f"reflow/{policy}/{whose}/{window}", WINDOW_SECONDS)
    except StorageError as error:
        _ask_again_at = time.monotonic() + ASK_AGAIN_SECONDS
        _complain(error)
        metrics.UNLIMITED.inc()
        return None
    _ask_again_at = None
    return Allowance(policy, limit, used, resets_in)


# When to ask counters that did not answer; None while they do.
_ask_again_at: float | None = None


def _may_ask() -> bool:
    """Whether the counters are there, or it is time for this one request to try them."""
    global _ask_again_at
    if _ask_again_at is None:
        return True
    now = time.monotonic()
    if now < _ask_again_at:
        return False
    _ask_again_at = now + ASK_AGAIN_SECONDS
    return True


def _now() -> tuple[int, int]:
    """The number of the minute, and how many seconds are left of it."""
    window, second = divmod(int(time.time()), WINDOW_SECONDS)
    return window, WINDOW_SECONDS - second


def _address(request: HttpRequest) -> str:
    return addresses.counted_as(addresses.client_of(request))


class MemoryStorage:
    """Counts of this process, forgotten when the next window begins.

    The one in ``limits`` looks for what to forget in a thread that it starts for nearly every request.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._window = 0
        self._counts: dict[str, int] = {}

    def incr(self, key: str, expiry: int) -> int:
        """The count of a key in this window of ``expiry`` seconds, this time included."""
        window = int(time.time()) // expiry
        with self._lock:
            if window != self._window:
                self._window, self._counts = window, {}
            count = self._counts[key] = self._counts.get(key, 0) + 1
        return count

    def check(self) -> bool:
        """Whether the counters can be reached."""
        return True

    def reset(self) -> None:
        """Forget all counts."""
        self._window = 0


@lru_cache(maxsize=1)
def storage() -> MemoryStorage | RedisStorage:
    """Where requests are counted: REDIS_URL, or this process's memory."""
    if not settings.REDIS_URL:
        return MemoryStorage()
    return RedisStorage(
        settings.REDIS_URL, wrap_exceptions=True, socket_timeout=0.25, socket_connect_timeout=0.25
    )


_complained_at = float("-inf")


def _complain(error: StorageError) -> None:
    """Log that counting fails, once a minute however many requests find out."""
    global _complained_at
    if time.monotonic() - _complained_at >= COMPLAIN_EVERY_SECONDS:
        _complained_at = time.monotonic()
        logger.error("Rate limits are off: their counters cannot be reached (%s)", error.storage_error)
