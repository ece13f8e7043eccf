"""Whether what is offered is good: the last word on who calls."""

import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import structlog

from service.access.caller import Caller, Scope
from service.access.keys_secret import KeysSecret
from service.access.minting import api_key_digest, keys_secret_digest, secret_access_key
from service.access.offered import ApiKey
from service.access.refusals import ExpiredKey, Forbidden, UnknownKey
from service.access.signatures import Signature, SignedRequest, check_signature, check_time
from service.errors import SettingsError
from service.store.access_keys import KeyRow

SERVICES: Final[Mapping[bool, frozenset[str]]] = {
    False: frozenset({"geo"}),
    True: frozenset({"iotdata", "iotdevicegateway"}),
}
"""Whether it is for AWS IoT -> the services for which a request may be signed. Any region counts."""

INVALID: Final = "The security token included in the request is invalid."

log = structlog.get_logger("overfly")


@dataclass(frozen=True, slots=True)
class Verifier:
    """`clock` gives milliseconds since the epoch."""

    secret: KeysSecret
    clock: Callable[[], int]

    def check_early(self, signature: Signature, *, iot: bool) -> None:
        """What can be said before the body is there. Raises WrongSignature."""
        check_time(signature, datetime.fromtimestamp(self.clock() / 1000, UTC))
        if signature.service not in SERVICES[iot]:
            expected = " or ".join(sorted(SERVICES[iot]))
            raise UnknownKey(f"Credential should be scoped to correct service: {expected!r}.")

    def signer(self, signature: Signature, row: KeyRow | None, request: SignedRequest, body: bytes) -> Caller:
        """Who signed. Raises UnknownKey, ExpiredKey, WrongSignature."""
        if row is None or row.kind != "access" or row.revoked_time is not None:
            raise UnknownKey(INVALID)
        secret = self._keys_secret()
        if secret is None or not hmac.compare_digest(keys_secret_digest(secret), row.digest):
            log.error(
                "access.other_secret",
                key=row.key_id,
                problem="this access key was made of another keys' secret than OVERFLY_KEYS_SECRET(_FILE) or "
                "keys.secret in the data folder",
            )
            raise UnknownKey(INVALID)
        check_signature(signature, secret_access_key(secret, row.key_id), request, body)
        return self._caller(row, "The security token included in the request is expired")

    def holder(self, key: ApiKey, row: KeyRow | None) -> Caller:
        """Who has this API key. Raises UnknownKey, ExpiredKey."""
        known = row is not None and row.kind == "api"
        digest = row.digest if row is not None and known else bytes(32)
        same = hmac.compare_digest(api_key_digest(key.text), digest)
        if row is None or not (known and same) or row.revoked_time is not None:
            raise UnknownKey("API key: there is none such, or it was revoked")
        return self._caller(row, "API key: it has expired")

    def _caller(self, row: KeyRow, expired: str) -> Caller:
        if row.expires_time is not None and row.expires_time <= self.clock():
            raise ExpiredKey(expired)
        scopes = frozenset(Scope(each) for each in row.scopes)
        name = f"key {row.key_id} ({row.name})"
        return Caller(name, row.key_id, row.account_id, scopes, row.tags, row.rate_limit)

    def _keys_secret(self) -> bytes | None:
        try:
            return self.secret.read()
        except SettingsError as error:
            log.error("access.keys_secret", problem=str(error))  # noqa: TRY400 - the sentence says it all
            return None


def check_account(caller: Caller, ours: str) -> None:
    """Raises Forbidden for a caller of another account: nothing here is its."""
    if caller.account_id != ours:
        raise Forbidden(f"{caller.name} is of account {caller.account_id}, which has nothing here")


def check_scope(caller: Caller, scope: Scope, operation: str) -> None:
    """Raises Forbidden."""
    if not caller.may(scope):
        held = ", ".join(sorted(caller.scopes)) or "no scope"
        raise Forbidden(
            f"{caller.name} is not authorized to perform {operation}: it needs {scope}, it has {held}"
        )
