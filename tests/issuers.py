"""An issuer of tokens as OpenID Connect has them: a real HTTP server, and real keys."""

import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as new_curve_key
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

CLIENT = "overfly-client"


def rsa_key() -> RSAPrivateKey:
    return generate_private_key(public_exponent=65537, key_size=2048)


def public_pem(key: RSAPrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


@dataclass
class TestIssuer:
    """`keys`: what it shows now, by id. `asked`: paths in the order of asking. `broken`: it answers 500.

    no_keys: what it shows beside them, which is none.
    """

    __test__ = False

    url: str
    keys: dict[str, Any] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    broken: bool = False
    no_keys: list[Any] = field(default_factory=list)

    def token(
        self,
        key_id: str | None = "first",
        key: Any = None,
        algorithm: str = "RS256",
        header: Mapping[str, Any] | None = None,
        **claims: Any,
    ) -> str:
        """A token that would be good; claims that are None are left out."""
        usual = {
            "iss": self.url,
            "sub": "ann",
            "aud": CLIENT,
            "exp": int(time.time()) + 600,
            "scope": "overfly/read",
        }
        said = {name: value for name, value in {**usual, **claims}.items() if value is not None}
        headers = {**({"kid": key_id} if key_id else {}), **(header or {})}
        return jwt.encode(said, self.keys[str(key_id)] if key is None else key, algorithm, headers)

    def answer(self, path: str) -> tuple[int, Any]:
        self.asked.append(path)
        if self.broken:
            return 500, {}
        if path == "/.well-known/openid-configuration":
            return 200, {"issuer": self.url, "jwks_uri": f"{self.url}/keys"}
        shown = [_shown(key_id, key) for key_id, key in self.keys.items()]
        return 200, {"keys": [*self.no_keys, *shown]}


@contextmanager
def issuing() -> Iterator[TestIssuer]:
    """An issuer with a key `first` (RSA) and a key `curve` (P-256)."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, document = issuer.answer(self.path)
            content = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    keys = {"first": rsa_key(), "curve": new_curve_key(SECP256R1())}
    issuer = TestIssuer(f"http://127.0.0.1:{server.server_port}", keys)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield issuer
    server.shutdown()
    server.server_close()
    thread.join()


def _shown(key_id: str, key: Any) -> dict[str, Any]:
    of = RSAAlgorithm if isinstance(key, RSAPrivateKey) else ECAlgorithm
    return {**of.to_jwk(key.public_key(), as_dict=True), "kid": key_id, "use": "sig"}
