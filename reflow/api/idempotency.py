"""A POST that is sent again with its ``Idempotency-Key`` is not run again: it gets the first answer.

After draft-ietf-httpapi-idempotency-key-header, for a day and for each API key. The kept answer is written
in the transaction of the view, so there is an answer exactly where there is an object, wherever the
connection or the process ended.
"""

import hmac
import re
from base64 import urlsafe_b64encode
from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from apikeys.api.exceptions import ApiError
from apikeys.models import KeptAnswer
from apikeys.models.kept_answer import ANSWERS_KEPT
from reflow.api.addresses import is_api_path

if TYPE_CHECKING:
    # At run time it is the views' module that imports this one, as the default named in settings.
    from rest_framework.views import APIView

HEADER = "Idempotency-Key"
WELL_FORMED = re.compile(r"[\x21-\x7e]{1,255}")
KEPT_HEADERS = ("Location", "Last-Modified", "WWW-Authenticate")
WAIT_SECONDS = 1


class Answer(msgspec.Struct):
    """The parts of an answer that are kept."""

    status: int
    headers: dict[str, str]
    body: bytes


class Replayed(APIException):
    """Raised in place of running a view again: the answer is there already."""

    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self.status_code = answer.status
        self.data = msgspec.json.decode(answer.body) if answer.body else None
        self.headers = {**answer.headers, "Idempotent-Replayed": "true"}


class Claim:
    """A request whose answer is to be kept, with secrets that only whoever sent it can derive."""

    def __init__(self, request: HttpRequest, key_id: int) -> None:
        """Read a request that carries the API key with this id. Raises ValidationError."""
        name = request.headers[HEADER]
        if not WELL_FORMED.fullmatch(name):
            raise ValidationError({HEADER: ["Must be 1 to 255 visible ASCII characters, such as a UUID."]})
        self.key_id = key_id
        self.secret = derive_secret(request.headers["Authorization"].rpartition(" ")[2])
        sent = b"\0".join(
            [request.get_full_path().encode(), (request.content_type or "").encode(), request.body]
        )
        self.idempotency_digest = digest(self.secret, name.encode())
        self.request_digest = digest(self.secret, sent)

    def find_answer(self) -> Answer | None:
        """Return the kept answer. Raises ApiError where it is another request's, or not there yet."""
        if not self.lock():
            raise ApiError("idempotency_in_progress", wait=WAIT_SECONDS)
        mine = KeptAnswer.objects.filter(key_id=self.key_id, idempotency_digest=self.idempotency_digest)
        mine.filter(created_at__lt=timezone.now() - ANSWERS_KEPT).delete()
        kept = mine.first()
        if kept is None:
            return None
        if kept.request_digest != self.request_digest:
            raise ApiError("idempotency_mismatch")
        return msgspec.msgpack.decode(cipher(self.secret).decrypt(bytes(kept.answer)), type=Answer)

    def lock(self) -> bool:
        """Keep others out until the transaction ends; return whether none was before.

        On SQLite the transaction itself keeps them out, and they wait for it.
        """
        if connection.vendor != "postgresql":
            return True
        with connection.cursor() as cursor:
            number = int(self.idempotency_digest[:16], 16) - 2**63
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [number])
            return bool(cursor.fetchone()[0])

    def keep(self, response: HttpResponse) -> None:
        headers = {name: response[name] for name in KEPT_HEADERS if name in response}
        answer = Answer(response.status_code, headers, response.content)
        KeptAnswer.objects.create(
            key_id=self.key_id,
            idempotency_digest=self.idempotency_digest,
            request_digest=self.request_digest,
            answer=cipher(self.secret).encrypt(msgspec.msgpack.encode(answer)),
        )


def derive_secret(presented: str) -> bytes:
    """Return 32 bytes for digests and 32 for a cipher that only whoever has the API key can derive."""
    return HKDF(SHA256(), length=64, salt=None, info=b"reflow idempotency").derive(presented.encode())


def cipher(secret: bytes) -> Fernet:
    return Fernet(urlsafe_b64encode(secret[32:]))


def digest(secret: bytes, text: bytes) -> str:
    return hmac.digest(secret[:32], text, "sha256").hex()


class ReplayThrottle(BaseThrottle):
    """Stops a request that was served already, once the key and its access are known to be good."""

    def allow_request(self, request: Request, view: "APIView") -> bool:
        """Return True for a request to be run. Raises Replayed, ApiError and ValidationError."""
        http = request._request
        if is_idempotent(http) and request.auth is not None:
            claim = Claim(http, request.auth.pk)
            if answer := claim.find_answer():
                raise Replayed(answer)
            http.idempotency_claim = claim  # type: ignore[attr-defined]
        return True


class IdempotencyMiddleware:
    """Runs a POST with an ``Idempotency-Key`` and keeps its answer, both or neither.

    An answer that says to try again, 429 or a fault of ours, is not kept, and nothing that led to it.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not is_idempotent(request):
            return self.get_response(request)
        with transaction.atomic():
            response = self.get_response(request)
            claim: Claim | None = getattr(request, "idempotency_claim", None)
            if response.status_code >= 500 or response.status_code == 429:
                transaction.set_rollback(True)
            elif claim:
                claim.keep(response)
        return response


def is_idempotent(request: HttpRequest) -> bool:
    """Return whether a request is one with an API key that may be sent again, and came whole."""
    return (
        is_api_path(request.path)
        and request.method == "POST"
        and HEADER in request.headers
        and "Authorization" in request.headers
        and has_whole_body(request)
    )


def has_whole_body(request: HttpRequest) -> bool:
    """Read the body, and return whether it came to its end: no claim is made for one that was cut off.

    It is read before the transaction begins: a slow client holds no locks.
    """
    stated = request.META.get("CONTENT_LENGTH") or "0"
    return stated.isdecimal() and len(request.body) == int(stated)
