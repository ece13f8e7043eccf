"""An issuer of tokens (OpenID Connect): what it calls itself, and the keys that it signs with, which change.

Its keys are read where they are first needed and anew after an hour. A key that is not among them may be new:
they are read again, twice a minute at most, so that nobody makes us ask for made-up ones. While the issuer is
away, keys that are known go on counting for a day.

https://openid.net/specs/openid-connect-discovery-1_0.html, https://www.rfc-editor.org/rfc/rfc7517
"""

import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
import jwt
import structlog

from service.errors import CannotNow

FRESH_SECONDS: Final = 3_600.0
STALE_SECONDS: Final = 86_400.0
AGAIN_SECONDS: Final = 30.0
ANSWER_SECONDS: Final = 5.0
MOST_BYTES: Final = 1 << 20

ALGORITHMS: Final[Mapping[str, tuple[str, ...]]] = {
    "RSA": ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    "EC": ("ES256", "ES384", "ES512"),
    "OKP": ("EdDSA",),
}
"""Kind of key -> what it may sign by. No secret that both sides know is among them, and not `none`."""

log = structlog.get_logger("overfly")


class IssuerAway(CannotNow):
    """The issuer does not answer, or not as one, and its keys are not known."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A public key, and the algorithms by which it may have signed."""

    key: Any
    algorithms: tuple[str, ...]


class Issuer:
    """Any thread. `monotonic` gives seconds."""

    def __init__(self, url: str, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.url = url
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._keys: Mapping[str | None, SigningKey] = {}
        self._read_at: float | None = None
        self._tried_at: float | None = None

    def key(self, key_id: str | None) -> SigningKey | None:
        """The key of this id; None where it has none such. Raises IssuerAway where that cannot be known."""
        if key_id in self._keys and self._age() < FRESH_SECONDS:
            return self._keys[key_id]
        with self._lock:  # others have perhaps read them meanwhile
            if (key_id not in self._keys or self._age() >= FRESH_SECONDS) and self._may_try():
                self._read()
        if self._age() >= STALE_SECONDS or (key_id not in self._keys and self._failed()):
            raise IssuerAway(f"the keys of {self.url} cannot be read: tokens cannot be verified now")
        return self._keys.get(key_id)

    def _age(self) -> float:
        return STALE_SECONDS if self._read_at is None else self._monotonic() - self._read_at

    def _may_try(self) -> bool:
        return self._tried_at is None or self._monotonic() >= self._tried_at + AGAIN_SECONDS

    def _failed(self) -> bool:
        """Whether the last attempt to read them did not succeed."""
        return self._read_at != self._tried_at

    def _read(self) -> None:
        self._tried_at = self._monotonic()
        try:
            with httpx.Client(timeout=ANSWER_SECONDS, follow_redirects=False) as client:
                read = _signing_keys(_document(client, self._keys_url(client)))
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            log.warning("issuer.away", issuer=self.url, error=str(error) or type(error).__name__)
            return
        self._keys, self._read_at = read, self._tried_at
        log.info("issuer.keys_read", issuer=self.url, keys=len(read))

    def _keys_url(self, client: httpx.Client) -> str:
        """Where its keys are, as it describes itself. Raises ValueError, httpx.HTTPError."""
        described = _document(client, self.url.rstrip("/") + "/.well-known/openid-configuration")
        if described.get("issuer") != self.url:
            raise ValueError(f"it calls itself {described.get('issuer')!r}, expected {self.url!r}")
        return checked_url(str(described.get("jwks_uri")))


def checked_url(url: str) -> str:
    """Raises ValueError for what could be read by others on the way, except on this machine."""
    parts = urlsplit(url)
    here = parts.hostname in ("127.0.0.1", "::1", "localhost")
    if not parts.hostname or (parts.scheme != "https" and not (parts.scheme == "http" and here)):
        raise ValueError(f"{url}: expected https://")
    return url


def _document(client: httpx.Client, url: str) -> dict[str, Any]:
    with client.stream("GET", url, headers={"Accept": "application/json"}) as answer:
        answer.raise_for_status()
        content = b""
        for chunk in answer.iter_bytes():
            content += chunk
            if len(content) > MOST_BYTES:
                raise ValueError(f"{url}: more than {MOST_BYTES} bytes")
    document = json.loads(content)
    if not isinstance(document, dict):
        raise ValueError(f"{url}: expected a JSON object")  # noqa: TRY004 - as any other fault of a document
    return document


def _signing_keys(document: Mapping[str, Any]) -> dict[str | None, SigningKey]:
    """By id; where there is only one, also by none. What we cannot use is left out."""
    found: dict[str | None, SigningKey] = {}
    listed = document.get("keys")
    if not isinstance(listed, list):
        raise ValueError("its keys: expected a JSON Web Key Set")  # noqa: TRY004 - as above
    for each in listed:
        try:
            key = _signing_key(each)
        except (jwt.PyJWTError, AttributeError, KeyError, TypeError, ValueError):  # whatever a member is
            continue
        if key is not None and isinstance(each.get("kid"), str | None):
            found[each.get("kid")] = key
    if len(found) == 1:
        found[None] = next(iter(found.values()))
    return found


def _signing_key(document: Mapping[str, Any]) -> SigningKey | None:
    """None where it is of another kind or use. Raises any of many errors for what is no key."""
    if document.get("use", "sig") != "sig" or document.get("kty") not in ALGORITHMS:
        return None
    usable, named = ALGORITHMS[document["kty"]], document.get("alg")
    algorithms = usable if named is None else tuple(one for one in usable if one == named)
    return SigningKey(jwt.PyJWK(dict(document), algorithms[0]).key, algorithms) if algorithms else None
