"""Messages from an MQTT broker, in batches that are acknowledged when they are safe.

A PUBLISH at QoS 1 stays the broker's until its PUBACK. We send that after the commit, so that what a crash
cuts off is sent again (MQTT 5, 4.4). Until then the broker sends only so many more: 20 by default in
Mosquitto, 100 in AWS IoT, ReceiveMaximum at most. Waiting for a full batch would wait for ever, so a batch
closes when nothing more comes.
"""

import time
from collections.abc import Iterable, Sequence

from ingest.messages import Message
from ingest.mqtt.batch import Batch, BatchLimits
from ingest.mqtt.connection import MqttEndpoint
from ingest.mqtt.farewell import end
from ingest.mqtt.subscription import Subscription


class MqttSource:
    """Messages of `topics`, subscribed at QoS 1 in a persistent session.

    A batch closes at `batch_size` messages, at `batch_bytes` of payload, `batch_age` seconds after its first
    message, or after `silence` seconds without more; no more than a batch is ever held. A hostile MiB may
    take seconds to judge: `batch_bytes` keeps a batch within the keep-alive. One thread calls everything but
    `wake`.

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
    ) -> None:
        self.topics = tuple(topics)
        self._batch = Batch(BatchLimits(batch_size, batch_bytes, batch_age, silence))
        self._listening_since = 0.0
        self._subscription = Subscription(
            endpoint,
            topics,
            silence,
            on_message=self._take,
            on_connection=lambda subscription: subscription.session.connection,
        )
        self._session = self._subscription.session

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
        return self._subscription.drained

    @property
    def unacknowledged(self) -> int:
        """Messages of this connection that the broker waits to have acknowledged."""
        return self._subscription.unacknowledged

    # Work

    def receive(self, timeout: float) -> list[Message]:
        """The next batch; [] when nothing came within `timeout` seconds or `wake` was called.

        Connects by itself when there is no connection. Never raises for what a broker or network does.
        """
        now = time.monotonic()
        deadline, self._listening_since = now + timeout, now
        while not self._complete(now):
            woken = self._session.turn(
                self._closes_at() - now if self._batch else deadline - now, self._batch.has_room
            )
            now = time.monotonic()
            if not self._batch:
                self._subscription.note_quiet(max(self._session.heard_at, self._listening_since), now)
                if woken or now >= deadline:
                    return []
        self._subscription.note_batch(full=not self._batch.has_room(), listened_until=now)
        return self._batch.take()

    def acknowledge(self, receipts: Iterable[int]) -> None:
        """Tells the broker that these are safe. Those of an earlier connection come again, and are passed
        over.
        """
        self._subscription.acknowledge(receipts)

    def rest(self, seconds: float) -> None:
        """Keeps the session alive for so long, or until `wake`, without giving out messages.

        For a caller that waits for its database. Takes what comes, up to one batch; beyond that messages
        wait in the network and at the broker.
        """
        self._subscription.note_rest()
        now = time.monotonic()
        until = now + seconds
        while now < until and not self._session.turn(until - now, self._batch.has_room):
            now = time.monotonic()

    def wake(self) -> None:
        """Makes a `receive` that waits return; from any thread or a signal handler."""
        self._session.wake()

    def close(self) -> None:
        """Sends what is unsent and a DISCONNECT. The broker keeps what was not acknowledged."""
        end([self._session])

    # Batches

    def _take(self, message: Message) -> None:
        if not self._batch:
            self._batch.started_at, heard_at = time.monotonic(), self._session.heard_at
            self._subscription.note_quiet(heard_at - self._session.waited, heard_at)
        self._batch.add(message)

    def _complete(self, now: float) -> bool:
        return bool(self._batch) and (not self._batch.has_room() or now >= self._closes_at())

    def _closes_at(self) -> float:
        """When age closes the batch, or silence, which is not waited for if the broker can send no more."""
        patience = 0.0 if self._subscription.stopped else self._batch.limits.silence
        heard_at = max(self._session.heard_at, self._batch.started_at)
        return min(heard_at + patience, self._batch.ages_at)
