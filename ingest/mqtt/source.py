"""Messages from an MQTT broker, in batches that are acknowledged when they are safe.

A PUBLISH at QoS 1 stays the broker's until its PUBACK. We send that after the commit, so that what a crash
cuts off is sent again (MQTT 5, 4.4). Until then the broker sends only so many more: 20 by default in
Mosquitto, 100 in AWS IoT, ReceiveMaximum at most. Waiting for a full batch would wait for ever, so a batch
closes when nothing more comes.
"""

import struct
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from paho.mqtt import client as mqtt

from ingest.messages import Message
from ingest.mqtt.connection import MqttEndpoint
from ingest.mqtt.credit import Credit
from ingest.mqtt.session import MqttSession

PACKET_IDS: Final = 1 << 16
PUBACK: Final = struct.Struct("!BBH")


class MqttSource:
    """Messages of `topics`, subscribed at QoS 1 in a persistent session.

    A batch closes at `batch_size` messages, at `batch_bytes` of payload, `batch_age` seconds after its first
    message, or after `silence` seconds without more; no more than a batch is ever held. A hostile MiB may
    take seconds to judge: `batch_bytes` keeps a batch within the keep-alive. One thread calls everything but
    `wake`. `on_change` is called after `connected`, `subscribed` or `problem` has changed.

    Raises EndpointError where the endpoint has no client id or its certificates cannot be read.
    """

    def __init__(
        self,
        endpoint: MqttEndpoint,
        topics: Sequence[str],
        *,
        batch_size: int = 5000,
        batch_bytes: int = 4 << 20,
        batch_age: float = 0.25,
        silence: float = 0.005,
        on_change: Callable[[], None] | None = None,
    ) -> None:
        self._size, self._bytes, self._age, self._silence = batch_size, batch_bytes, batch_age, silence
        self._on_change = on_change
        self.topics = tuple(topics)
        self._batch: list[Message] = []
        self._held_bytes = 0
        self._first_at = self._listening_since = 0.0
        self._unacknowledged: set[int] = set()
        self._credit = Credit()
        self._drained = self._quiet_before = False
        self._seen_connection, self._receipts = 0, 0
        self._session = MqttSession(
            endpoint,
            persistent=True,
            topics=topics,
            manual_ack=True,
            on_message=self._take,
            on_change=self._changed,
        )

    # State, for logs, /ready and the reorder window

    @property
    def url(self) -> str:
        """Of the broker, without user and password."""
        return self._session.endpoint.url

    @property
    def facts(self) -> dict[str, object]:
        """What logs say of it."""
        return {"broker": self.url, "topics": list(self.topics)}

    @property
    def connected(self) -> bool:
        return self._session.connected

    @property
    def subscribed(self) -> bool:
        """The broker has granted every topic."""
        return self._session.subscribed

    @property
    def session_present(self) -> bool:
        """The broker still had our session at the last connection: nothing was missed while we were away."""
        return self._session.session_present

    @property
    def connection(self) -> int:
        """Counts connections."""
        return self._session.connection

    @property
    def problem(self) -> str | None:
        """What is wrong with the connection, as a sentence without secrets; None when nothing is."""
        return self._session.problem

    @property
    def drained(self) -> bool:
        """The broker had nothing more for us when the last batch closed.

        A broker that stops at its in-flight limit looks the same: see `Credit`. False without a subscription.
        """
        return self._drained and self.subscribed

    @property
    def unacknowledged(self) -> int:
        """Messages of this connection that the broker waits to have acknowledged."""
        return len(self._unacknowledged)

    # Work

    def receive(self, timeout: float) -> list[Message]:
        """The next batch; [] when nothing came within `timeout` seconds or `wake` was called.

        Connects by itself when there is no connection. Never raises for what a broker or network does.
        """
        now = time.monotonic()
        deadline, self._listening_since = now + timeout, now
        while not (self._batch and self._complete(now)):
            woken = self._session.turn(
                self._until_complete(now) if self._batch else deadline - now, self._has_room
            )
            now = time.monotonic()
            if not self._batch:
                self._note_quiet(max(self._session.heard_at, self._listening_since), now)
                if woken or now >= deadline:
                    return []
        return self._close_batch(now)

    def acknowledge(self, receipts: Iterable[int]) -> None:
        """Tells the broker that these are safe. Those of an earlier connection come again, and are passed
        over.
        """
        owed, packets = self._unacknowledged, []
        for receipt in receipts:
            if receipt in owed:
                owed.remove(receipt)
                packets.append(PUBACK.pack(0x40, 2, receipt % PACKET_IDS))
        if packets:
            self._session.send(b"".join(packets))
            self._credit.acknowledged(len(owed), time.monotonic() + self._session.round_trip)

    def rest(self, seconds: float) -> None:
        """Keeps the session alive for so long, or until `wake`, without giving out messages.

        For a caller that waits for its database. Takes what comes, up to one batch; beyond that messages
        wait in the network and at the broker.
        """
        self._drained = self._quiet_before = False
        now = time.monotonic()
        end = now + seconds
        while now < end and not self._session.turn(end - now, self._has_room):
            now = time.monotonic()

    def wake(self) -> None:
        """Makes a `receive` that waits return; from any thread or a signal handler."""
        self._session.wake()

    def close(self) -> None:
        """Sends what is unsent and a DISCONNECT. The broker keeps what was not acknowledged."""
        self._session.close()

    # Batches

    def _take(self, message: mqtt.MQTTMessage) -> None:
        if not self._batch:
            self._first_at = time.monotonic()
            self._note_quiet(self._session.heard_at - self._session.waited, self._session.heard_at)
        receipt = None
        if message.qos:
            receipt = self._receipts + message.mid
            self._unacknowledged.add(receipt)
            self._credit.received(len(self._unacknowledged))
        payload = bytes(message.payload)
        self._held_bytes += len(payload)
        self._batch.append(Message(payload, _topic(message), message.dup, receipt))

    def _has_room(self) -> bool:
        return len(self._batch) < self._size and self._held_bytes < self._bytes

    def _complete(self, now: float) -> bool:
        return not self._has_room() or self._until_complete(now) <= 0

    def _until_complete(self, now: float) -> float:
        """Seconds until age or silence closes the batch."""
        limit = self._credit.limit
        patience = 0.0 if limit is not None and len(self._unacknowledged) >= limit else self._silence
        silent_at = max(self._session.heard_at, self._first_at) + patience
        return min(silent_at, self._first_at + self._age) - now

    def _close_batch(self, now: float) -> list[Message]:
        if self._has_room():
            self._drained = self._quiet_before or now >= self._credit.free_from + self._silence
            if now >= self._session.heard_at + self._silence:
                self._credit.fell_silent(len(self._unacknowledged))
        else:
            self._drained = False
        self._quiet_before = False
        batch, self._batch, self._held_bytes = self._batch, [], 0
        return batch

    def _note_quiet(self, since: float, until: float) -> None:
        """If nothing came while we listened and the broker was free to send, it had nothing."""
        if self.subscribed and until >= max(since, self._credit.free_from) + self._silence:
            self._drained = self._quiet_before = True

    def _changed(self) -> None:
        session = self._session
        if session.connection != self._seen_connection:
            self._seen_connection, self._receipts = session.connection, session.connection * PACKET_IDS
            self._unacknowledged.clear()
            self._credit = Credit()
        if not session.subscribed:
            self._drained = self._quiet_before = False
        else:
            self._credit.subscribed(time.monotonic() + session.round_trip)
        if self._on_change is not None:
            self._on_change()


def _topic(message: mqtt.MQTTMessage) -> str:
    try:
        return message.topic
    except UnicodeDecodeError:  # a broker should not let it pass; the decoder puts such a message aside
        return "\ufffd"
