"""Keys: how they are made, and how one is known again without being stored.

An API key is `ovf_<16 letters>_<64 hexadecimal digits>`; up to the second `_` it names itself, and of the
whole only its SHA-256 is kept: 256 random bits need no slow hash. An access key signs, so its secret must
be had again for each request. It is made of the key's id and the keys' secret (HMAC-SHA-256), which is not
in the database: who has only the database, or a copy of it, can sign nothing.
"""

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Sequence
from typing import Final

ALPHABET: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
API_KEY: Final = re.compile(r"(ovf_[a-z2-7]{16})_[0-9a-f]{64}")
SECRET_BYTES: Final = 32
"""The least that the keys' secret has."""


def new_access_key_id() -> str:
    """As long as Amazon's, and never one of them."""
    return "OVF" + _letters(17)


def new_api_key() -> tuple[str, str]:
    """Its id, and the whole of it."""
    key_id = f"ovf_{_letters(16).lower()}"
    return key_id, f"{key_id}_{secrets.token_hex(32)}"


def api_key_id(api_key: str) -> str | None:
    """What names it; None where it is none of ours."""
    read = API_KEY.fullmatch(api_key)
    return read[1] if read else None


def api_key_digest(api_key: str) -> bytes:
    return hashlib.sha256(api_key.encode()).digest()


def secret_access_key(keys_secret: bytes, key_id: str) -> str:
    """40 letters, as Amazon's are."""
    made = hmac.digest(keys_secret, b"overfly access key\0" + key_id.encode(), "sha256")
    return base64.urlsafe_b64encode(made).decode()[:40]


def keys_secret_digest(keys_secret: bytes) -> bytes:
    """By which an access key is known to be of this secret; tells nothing of either."""
    return hmac.digest(keys_secret, b"overfly keys secret", "sha256")


def _letters(count: int, alphabet: Sequence[str] = ALPHABET) -> str:
    return "".join(secrets.choice(alphabet) for _ in range(count))
