"""The keys of the store, as requests ask for them: kept for seconds, so that few ask the database."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from service.store.access_keys import KeyRow, any_key, key_by_id, note_use
from service.store.database import Database

KEPT_SECONDS: Final = 5.0
"""A key that was revoked is refused after that, everywhere."""

KEPT_AT_MOST: Final = 10_000
USE_NOTED_EVERY: Final = 60_000


class KeyRing:
    """Any thread. `monotonic` gives seconds."""

    def __init__(self, database: Database, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.database = database
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, tuple[float, KeyRow | None]] = OrderedDict()
        self._any: tuple[float, bool] | None = None
        self._used: dict[str, int] = {}

    def kept(self, key_id: str) -> tuple[KeyRow | None] | None:
        """What is known of a key, in a tuple; None where the database must be asked."""
        with self._lock:
            read, row = self._kept.get(key_id, (0.0, None))
            return (row,) if read > self._monotonic() else None

    def look_up(self, key_id: str) -> KeyRow | None:
        """The key by the database's word. Raises StoreAway."""
        with self.database.read() as connection:
            row = key_by_id(connection, key_id)
        with self._lock:
            self._kept[key_id] = self._monotonic() + KEPT_SECONDS, row
            self._kept.move_to_end(key_id)
            if len(self._kept) > KEPT_AT_MOST:
                self._kept.popitem(last=False)
        return row

    def kept_any(self) -> bool | None:
        """Whether there is any key that is not revoked; None where the database must be asked."""
        with self._lock:
            return self._any[1] if self._any is not None and self._any[0] > self._monotonic() else None

    def look_for_any(self) -> bool:
        """As `kept_any`, by the database's word. Raises StoreAway."""
        with self.database.read() as connection:
            found = any_key(connection)
        with self._lock:
            self._any = self._monotonic() + KEPT_SECONDS, found
        return found

    def forget(self) -> None:
        """Keys have changed: the database is asked again."""
        with self._lock:
            self._kept.clear()
            self._any = None

    def note_use(self, row: KeyRow, at: int) -> None:
        """It was used at this time, in milliseconds."""
        if row.last_used_time is None or at - row.last_used_time >= USE_NOTED_EVERY:
            with self._lock:
                self._used[row.key_id] = at

    def write_uses(self) -> None:
        """Raises StoreAway: what was to be written then is written the next time."""
        with self._lock:
            used, self._used = self._used, {}
        if not used:
            return
        try:
            with self.database.write() as connection:
                note_use(connection, sorted(used.items()))
        except BaseException:
            with self._lock:
                self._used = used | self._used
            raise
