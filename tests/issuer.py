"""An issuer of identity tokens, as GitHub and GitLab are: its keys, its documents over HTTPS, its tokens."""

import json
import ssl
import threading
import time
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from uuid import uuid4

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from apikeys import trusts
from apikeys.actors import Actor
from apikeys.models import Trust
from apikeys.models.trust import GITHUB, store_url
from stores.models import Store

DISCOVERY = "/.well-known/openid-configuration"


class SigningKey:
    """A key that an issuer signs with, and as it publishes it."""

    def __init__(self) -> None:
        self.id = uuid4().hex
        self.private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.private.public_key()))
        self.published: dict[str, Any] = {**public, "kid": self.id, "use": "sig", "alg": "RS256"}


class Issuer:
    """Serves its documents on a port of its own. ``answers`` are by path; ``asked`` are the paths so far."""

    def __init__(self, folder: Path) -> None:
        self.ca_file, key_file = make_certificate(folder)
        self.first_key = SigningKey()
        self.forget()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.ca_file, key_file)
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.issuer = self  # type: ignore[attr-defined]
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.url = f"https://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def forget(self) -> None:
        """Be as at first."""
        self.keys = [self.first_key]
        self.asked: list[str] = []
        self.answers: dict[str, Any] = {}

    def rotate(self) -> None:
        self.keys = [SigningKey()]

    def document(self, path: str) -> Any:
        if path == DISCOVERY:
            return {"issuer": self.url, "jwks_uri": f"{self.url}/keys"}
        return {"keys": [key.published for key in self.keys]}

    def token(self, *, key: SigningKey | None = None, **changed: Any) -> str:
        """A token of this issuer's, with its newest key or another; see sign()."""
        return sign(key or self.keys[0], self.url, **changed)


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        issuer: Issuer = self.server.issuer  # type: ignore[attr-defined]
        issuer.asked.append(self.path)
        answer = issuer.answers.get(self.path)
        if callable(answer):
            answer(self)
            return
        body = json.dumps(issuer.document(self.path) if answer is None else answer).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        """Nothing is printed."""


def sign(key: SigningKey, issuer: str, *, header: dict[str, Any] | None = None, **claims: Any) -> str:
    """A token of a run of northwood/shop on its main branch, with some claims changed; None: left out."""
    now = int(time.time())
    told = {
        "iss": issuer,
        "aud": store_url(267418190),
        "sub": "repo:northwood/shop:ref:refs/heads/main",
        "repository": "northwood/shop",
        "ref": "refs/heads/main",
        "jti": uuid4().hex,
        "iat": now,
        "nbf": now,
        "exp": now + 300,
    } | claims
    payload = {name: value for name, value in told.items() if value is not None}
    headers = {"kid": key.id} if header is None else header
    return jwt.PyJWS().encode(json.dumps(payload).encode(), key.private, "RS256", headers=headers)


def make_trust(store: Store, by: Actor, *, issuer: str = GITHUB, **claims: str) -> Trust:
    """A trust of one repository, with these claims besides; its keys read orders for a quarter of an hour."""
    return trusts.create_trust(
        store=store,
        name="Deploy",
        issuer=issuer,
        claims={"repository": "northwood/shop", **claims},
        access=["orders:read"],
        lifetime=900,
        allowed_addresses=[],
        by=by,
    )


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """Write a server's certificate, which nobody but itself has signed, and its key."""
    now, key = datetime.now(UTC), ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    names: list[x509.GeneralName] = [x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    files = folder / "server.pem", folder / "server.key"
    files[0].write_bytes(certificate.public_bytes(pem))
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    files[1].write_bytes(private)
    return files
