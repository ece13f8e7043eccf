"""What was received of a queue and is not deleted there yet, with its bounds.

A message waits (its body is here), is given out (what was made of it is being committed), or is done (all of
it is acknowledged) and has only to be deleted. Until then it is extended: the queue would give it out again.
"""

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice

from ingest.aws.limits import BODY_BYTES, REQUEST_ENTRIES


@dataclass(slots=True)
class Held:
    """One message of the queue. Times are seconds of the monotonic clock.

    `size` is that of its body in bytes. `left` counts the messages made of it that are not acknowledged; None
    while it waits. `hidden_until` is when the queue shows it again. `handle` is the latest that the queue
    gave out for it.
    """

    number: int
    message_id: str
    handle: str
    body: bytes
    size: int
    redelivered: bool
    received_at: float
    hidden_until: float
    left: int | None = None

    @property
    def done(self) -> bool:
        return self.left == 0


class HeldMessages:
    """At most `most` messages, and `most_bytes` of bodies that are not yet acknowledged. Thread-safe."""

    def __init__(self, most: int, most_bytes: int) -> None:
        self._most, self._most_bytes = most, most_bytes
        self._by_number: dict[int, Held] = {}
        self._by_id: dict[str, Held] = {}
        self._done: dict[int, Held] = {}
        self._bytes = self._numbers = 0
        self._changed = threading.Condition()

    def __len__(self) -> int:
        return len(self._by_number)

    def room(self) -> int:
        """How many messages may be asked for, whatever their size."""
        with self._changed:
            return self._room()

    def wait_for_room(self, timeout: float) -> None:
        """Until there is some, or for `timeout` seconds."""
        with self._changed:
            self._changed.wait_for(lambda: self._room() > 0, timeout)

    def take(
        self,
        message_id: str,
        handle: str,
        body: bytes,
        *,
        redelivered: bool,
        received_at: float,
        hidden_until: float,
    ) -> Held | None:
        """A received message; None for one that is held already, which has a new handle now."""
        with self._changed:
            known = self._by_id.get(message_id)
            if known is not None:
                known.handle, known.hidden_until = handle, hidden_until
                return None
            self._numbers += 1
            held = Held(
                self._numbers, message_id, handle, body, len(body), redelivered, received_at, hidden_until
            )
            self._by_number[held.number] = self._by_id[message_id] = held
            self._bytes += held.size
            return held

    def give_out(self, held: Held, parts: int) -> None:
        """So many messages were made of its body, which is let go; with none it is done."""
        with self._changed:
            held.body = b""
            held.left = parts
            if held.done:
                self._finish(held)

    def acknowledge(self, counts: Mapping[int, int]) -> None:
        """By number, how many of the messages made of it are safe. Strange numbers are passed over."""
        with self._changed:
            for number, count in counts.items():
                held = self._by_number.get(number)
                if held is None or not held.left:
                    continue
                held.left = max(0, held.left - count)
                if held.done:
                    self._finish(held)

    def forget(self, gone: Iterable[Held]) -> None:
        """These are deleted, or no longer ours to delete."""
        with self._changed:
            for held in gone:
                if self._by_number.pop(held.number, None) is not None:
                    del self._by_id[held.message_id]
                self._done.pop(held.number, None)
            self._changed.notify_all()

    def wait_for_done(self, timeout: float) -> None:
        """Until something is to be deleted, `wake` is called, or for `timeout` seconds."""
        with self._changed:
            if not self._done:
                self._changed.wait(timeout)

    def wake(self) -> None:
        """Ends the waiting of all."""
        with self._changed:
            self._changed.notify_all()

    def done(self) -> list[Held]:
        """Some that are to be deleted, as many as fit one request."""
        with self._changed:
            return list(islice(self._done.values(), REQUEST_ENTRIES))

    def hidden_until(self) -> float | None:
        """When the first of them is shown again; None where nothing is held."""
        with self._changed:
            return min((held.hidden_until for held in self._by_number.values()), default=None)

    def shown_before(self, time: float) -> list[Held]:
        """Those that the queue shows again before then, in order of receipt, as many as fit one request."""
        with self._changed:
            found = (held for held in self._by_number.values() if held.hidden_until < time)
            return list(islice(found, REQUEST_ENTRIES))

    def not_done(self) -> list[Held]:
        """Those that are not to be deleted, in order of receipt."""
        with self._changed:
            return [held for held in self._by_number.values() if not held.done]

    def oldest(self) -> float | None:
        """When the oldest was received; None where nothing is held."""
        with self._changed:
            first = next(iter(self._by_number.values()), None)
            return None if first is None else first.received_at

    def _room(self) -> int:
        by_bytes = (self._most_bytes - self._bytes) // BODY_BYTES
        return max(0, min(REQUEST_ENTRIES, self._most - len(self._by_number), by_bytes))

    def _finish(self, held: Held) -> None:
        self._done[held.number] = held
        self._bytes -= held.size
        self._changed.notify_all()
