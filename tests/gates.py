"""A gate before the API as tests want it: with keys of its own, a clock that they set, and who is asked."""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from service.access.audit import AuditLog
from service.access.caller import Scope
from service.access.control import AccessControl, Asked
from service.access.key_making import MadeKey, Terms, make_key
from service.access.key_ring import KeyRing
from service.access.keys_secret import KeysSecret
from service.access.rules import Kind
from service.access.tokens import Tokens
from service.access.verifying import Verifier
from service.store.database import Database
from service.timestamps import now

ACCOUNT = "000000000000"
SECRET = KeysSecret(b"a secret that only tests are made of", Path("/nowhere"), False)

_numbers = itertools.count()


@dataclass
class Clock:
    """Now, and what is added to it, in milliseconds."""

    ahead: int = 0

    def __call__(self) -> int:
        return now() + self.ahead


@dataclass
class Keys:
    """Those who may call: makes keys in a database, and the gate that asks for them."""

    database: Database
    account: str = ACCOUNT
    clock: Clock = field(default_factory=Clock)
    ring: KeyRing = field(init=False)

    def __post_init__(self) -> None:
        self.ring = KeyRing(self.database)

    def make(self, *scopes: Scope, kind: Any = "api", **terms: Any) -> MadeKey:
        """A key; `terms` are others of Terms."""
        values: Mapping[str, Any] = {"account_id": self.account, "name": f"test {next(_numbers)}", **terms}
        with self.database.write() as connection:
            made = make_key(connection, Terms(kind=kind, scopes=frozenset(scopes), **values), SECRET, now())
        self.ring.forget()
        return made

    def control(self, asked: Asked = Asked.ALL, tokens: Tokens | None = None, **limits: Any) -> AccessControl:
        return AccessControl(
            asked=asked,
            account_id=self.account,
            ring=self.ring,
            verifier=Verifier(SECRET, self.clock),
            secret=SECRET,
            tokens=tokens,
            audit=AuditLog(self.database, self.ring, self.clock),
            defaults={Kind.TRACKER: "default", Kind.COLLECTION: "default"},
            **limits,
        )
