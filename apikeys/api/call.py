"""A call of the API: what its view finds out and the middlewares need, on the request as ``api_call``.

``ApiKeyMiddleware`` sets it. Views see it through DRF's request, which passes attributes on.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from apikeys.api.key_lookup import FoundKey

if TYPE_CHECKING:
    from apikeys.api.rate_limits import Allowance


@dataclass(slots=True)
class ApiCall:
    """``key`` is whose call it counts as, ``access`` what it needed, blank until that is known.

    ``allowance`` is what is left of the limit that the call was counted against, None while nothing counts.
    """

    key: FoundKey | None = None
    access: str = ""
    allowance: "Allowance | None" = None
    is_counted: bool = False


def get_call(request: Any) -> ApiCall:
    """Return the call that a request, Django's or DRF's, is."""
    call: ApiCall = request.api_call
    return call
