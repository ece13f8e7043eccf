"""The record of who changed what: a row a change, one a minute for positions and what was refused."""

import threading
from collections import Counter
from collections.abc import Callable
from typing import Any, Final

import structlog

from service.access.key_ring import KeyRing
from service.errors import StoreAway
from service.store.audit import AuditEntry, insert_audit
from service.store.database import Database

EVERY_SECONDS: Final = 60.0
GATHERED_AT_MOST: Final = 5_000
GATHERED_OF_ONE: Final = 20
"""In a minute, by target and address: nobody's attempts push the changes of others out of the record."""

MANY: Final = "(many)"

log = structlog.get_logger("overfly")


class AuditLog:
    """Any thread. `clock` gives milliseconds since the epoch."""

    def __init__(self, database: Database, ring: KeyRing, clock: Callable[[], int]) -> None:
        self._database = database
        self._ring = ring
        self._clock = clock
        self._lock = threading.Lock()
        self._gathered: Counter[tuple[Any, ...]] = Counter()
        self._of: Counter[str] = Counter()
        self._stop = threading.Event()

    def write(self, entry: AuditEntry) -> None:
        """Writes it at once; where the database does not take it, the log has it instead."""
        try:
            with self._database.write() as connection:
                insert_audit(connection, [entry])
        except StoreAway as error:
            log.warning("audit.not_written", entry=entry._asdict(), error=str(error))

    def gather(self, entry: AuditEntry) -> None:
        """Counts it with those that are alike but for their time; written within a minute."""
        alike = entry[1:-1]
        with self._lock:
            if alike not in self._gathered:
                of_one = self._of[entry.caller] >= GATHERED_OF_ONE
                if of_one or len(self._gathered) >= GATHERED_AT_MOST:
                    alike = entry._replace(target=MANY, address=MANY)[1:-1]
                self._of[entry.caller] += 1
            self._gathered[alike] += 1

    def run(self) -> None:
        """Writes what was gathered, every minute and at the end."""
        while not self._stop.wait(EVERY_SECONDS):
            self.write_gathered()
        self.write_gathered()

    def stop(self) -> None:
        self._stop.set()

    def write_gathered(self) -> None:
        """Writes what was gathered, and which keys were used; what fails is tried again the next time."""
        with self._lock:
            gathered, self._gathered = self._gathered, Counter()
            self._of.clear()
        at = self._clock()
        try:
            if gathered:
                entries = [AuditEntry._make((at, *alike, calls)) for alike, calls in gathered.items()]
                with self._database.write() as connection:
                    insert_audit(connection, entries)
            gathered = Counter()
            self._ring.write_uses()
        except StoreAway as error:
            with self._lock:
                self._gathered.update(gathered)
            log.warning("audit.store_away", error=str(error))
