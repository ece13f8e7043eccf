"""Where keys are kept, as `overfly keys` reaches it: the database, or a running service that holds it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import msgspec

from service.access.key_making import end_key, make_key
from service.access.keys_secret import KeysSecret
from service.api.audit import AuditItem, audit_item
from service.api.keys import KeyItem, KeyList, NewKey, NewKeyItem, key_item, new_key_item, terms_of
from service.cli.running_service import Page, content_of, pages_of
from service.store.access_keys import keys
from service.store.audit import AuditEntry, audited, insert_audit
from service.store.database import Database
from service.timestamps import now

if TYPE_CHECKING:
    import httpx

PAGE = 1000


class RecordPage(Page):
    """A page of the record of who changed what."""

    items: list[AuditItem]


class Keeper(Protocol):
    """Raises NotFound, Refused, SettingsError, CannotNow."""

    def make(self, new: NewKey) -> NewKeyItem: ...

    def revoke(self, key_id: str) -> None: ...

    def all(self) -> Sequence[KeyItem]: ...

    def record(self) -> Iterator[AuditItem]:
        """Who changed what, from the first."""
        ...


@dataclass(frozen=True, slots=True)
class OfDatabase:
    """`by`: who is recorded to have asked."""

    database: Database
    secret: KeysSecret
    account_id: str
    by: str

    def make(self, new: NewKey) -> NewKeyItem:
        with self.database.write() as connection:
            made = make_key(connection, terms_of(new, self.account_id), self.secret, now())
            insert_audit(connection, [self._entry("create_key", made.row.key_id, 201)])
        return new_key_item(made)

    def revoke(self, key_id: str) -> None:
        with self.database.write() as connection:
            end_key(connection, key_id, now())
            insert_audit(connection, [self._entry("revoke_key", key_id, 204)])

    def all(self) -> Sequence[KeyItem]:
        with self.database.read() as connection:
            return [key_item(row) for row in keys(connection)]

    def record(self) -> Iterator[AuditItem]:
        after = 0
        while True:
            with self.database.read() as connection:
                rows = audited(connection, after, PAGE)
            yield from map(audit_item, rows)
            if len(rows) < PAGE:
                return
            after = rows[-1].key

    def _entry(self, operation: str, key_id: str, status: int) -> AuditEntry:
        return AuditEntry(now(), self.by, self.account_id, operation, key_id, status, "")


@dataclass(frozen=True, slots=True)
class OfService:
    """Through the API of a running service."""

    client: "httpx.Client"

    def make(self, new: NewKey) -> NewKeyItem:
        answer = self.client.post("/v1/keys", content=msgspec.json.encode(new))
        return msgspec.json.decode(content_of(answer, "keys create"), type=NewKeyItem)

    def revoke(self, key_id: str) -> None:
        answer = self.client.delete(f"/v1/keys/{key_id}")
        if answer.status_code != 204:
            content_of(answer, "keys revoke")

    def all(self) -> Sequence[KeyItem]:
        answer = self.client.get("/v1/keys")
        return msgspec.json.decode(content_of(answer, "keys list"), type=KeyList).items

    def record(self) -> Iterator[AuditItem]:
        for page in pages_of(self.client, "/v1/audit", RecordPage):
            yield from page.items
