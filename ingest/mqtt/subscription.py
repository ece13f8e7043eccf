"""A persistent session's messages: which of them the broker is owed, and whether it had more for us."""

import struct
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from paho.mqtt import client as mqtt

from ingest.messages import Message
from ingest.mqtt.connection import MqttEndpoint
from ingest.mqtt.credit import Credit
from ingest.mqtt.session import MqttSession
from ingest.mqtt.socket_watch import SocketWatch

PACKET_IDS: Final = 1 << 16
PUBACK: Final = struct.Struct("!BBH")


class Subscription:
    """Topics subscribed at QoS 1 in a persistent session; whoever turns the session gets its messages.

    `on_message` is called with each; its receipt is `number * PACKET_IDS` + the packet identifier, where
    `number` is what `on_connection` gave the connection. `silence` (seconds) is how long a broker that is
    free to send takes for it at most.

    Raises EndpointError where the endpoint has no client id or its certificates cannot be read.
    """

    def __init__(
        self,
        endpoint: MqttEndpoint,
        topics: Sequence[str],
        silence: float,
        *,
        on_message: Callable[[Message], None],
        on_connection: Callable[["Subscription"], int],
        watch: SocketWatch | None = None,
    ) -> None:
        self._silence = silence
        self._on_message, self._on_connection = on_message, on_connection
        self.number = 0
        self._first_receipt = self._seen_connection = 0
        self._unacknowledged: set[int] = set()
        self._credit = Credit()
        self._drained = self._quiet_before = False
        self.session = MqttSession(
            endpoint,
            persistent=True,
            topics=topics,
            manual_ack=True,
            on_message=self._take,
            on_change=self._changed,
            watch=watch,
        )

    @property
    def drained(self) -> bool:
        """The broker had nothing more for us when the last batch closed.

        A broker that stops at its in-flight limit looks the same: see `Credit`. False without a subscription.
        """
        return self._drained and self.session.subscribed

    @property
    def unacknowledged(self) -> int:
        """Messages of this connection that the broker waits to have acknowledged."""
        return len(self._unacknowledged)

    @property
    def stopped(self) -> bool:
        """The broker sends no more before we acknowledge: further waiting brings nothing."""
        limit = self._credit.limit
        return limit is not None and len(self._unacknowledged) >= limit

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
            self.session.send(b"".join(packets))
            self._credit.acknowledged(len(owed), time.monotonic() + self.session.round_trip)

    # Whether the broker had more

    def note_quiet(self, since: float, until: float) -> None:
        """Nothing came in that time: if the broker was free to send for so long, it had nothing."""
        if self.session.subscribed and until >= max(since, self._credit.free_from) + self._silence:
            self._drained = self._quiet_before = True

    def note_rest(self) -> None:
        """Nobody listens for a while."""
        self._drained = self._quiet_before = False

    def note_batch(self, *, full: bool, listened_until: float) -> None:
        """A batch closes. If it is `full`, more may have come than was read."""
        if full:
            self._drained = False
        else:
            self._drained = self._quiet_before or listened_until >= self._credit.free_from + self._silence
            if listened_until >= self.session.heard_at + self._silence:
                self._credit.fell_silent(len(self._unacknowledged))
        self._quiet_before = False

    # What the session tells

    def _take(self, message: mqtt.MQTTMessage) -> None:
        receipt = self._first_receipt + message.mid if message.qos else None
        # told before it counts, so that the silence before it can still be noted
        self._on_message(Message(bytes(message.payload), _topic(message), message.dup, receipt))
        if receipt is not None:
            self._unacknowledged.add(receipt)
            self._credit.received(len(self._unacknowledged))

    def _changed(self) -> None:
        session = self.session
        if session.connection != self._seen_connection:
            self._seen_connection = session.connection
            self.number = self._on_connection(self)
            self._first_receipt = self.number * PACKET_IDS
            self._unacknowledged.clear()
            self._credit = Credit()
        if not session.subscribed:
            self._drained = self._quiet_before = False
        else:
            self._credit.subscribed(time.monotonic() + session.round_trip)


def _topic(message: mqtt.MQTTMessage) -> str:
    try:
        return message.topic
    except UnicodeDecodeError:  # a broker should not let it pass; the decoder puts such a message aside
        return "\ufffd"
