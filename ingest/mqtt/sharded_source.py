"""Arrays of positions from an MQTT broker, each shard in a persistent session of its own.

A session belongs to one client at a time (MQTT 5, 3.1.4), so whoever owns a shard connects with its client
id, and gets what its last owner did not acknowledge, in order. `MqttSource` says how batches close.
"""

import time
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from math import inf
from operator import attrgetter
from typing import Final

from ingest.messages import Message
from ingest.mqtt.batch import Batch, BatchLimits
from ingest.mqtt.connection import MqttEndpoint
from ingest.mqtt.farewell import end
from ingest.mqtt.session import MqttSession
from ingest.mqtt.socket_watch import READ, SocketWatch
from ingest.mqtt.subscription import PACKET_IDS, Subscription
from ingest.topics import ARRAY_TOPICS, SHARDS

FAREWELL_SECONDS: Final = 0.5
"""How long sessions that are given up wait, together, for the broker to hang up."""


class ShardedMqttSource:
    """Messages of the shards that `own` names; none at first.

    Batches are shared, and close as those of `MqttSource` do: by size, bytes or age, or after `silence`
    seconds without more from any session. No more than a batch is held in all. One thread calls everything
    but `wake`, and waits for all sockets at once.

    Raises EndpointError where the endpoint has no client id or its certificates cannot be read.
    """

    def __init__(
        self,
        endpoint: MqttEndpoint,
        *,
        batch_size: int = 5000,
        batch_bytes: int = 4 << 20,
        batch_age: float = 0.25,
        silence: float = 0.005,
    ) -> None:
        endpoint.client(persistent=True)  # or raises now what each session would
        self._endpoint, self._silence = endpoint, silence
        self._batch = Batch(BatchLimits(batch_size, batch_bytes, batch_age, silence))
        self._watch = SocketWatch()
        self._owned: Mapping[int, Subscription] = {}  # replaced as a whole: other threads read it
        self._connection = 0
        self._of_connection: dict[int, Subscription] = {}
        self._of_session: dict[object, Subscription] = {}
        self._unread: dict[Subscription, int] = {}
        self._listening = True
        self._due_at = inf
        self._listening_since = self._listened_until = self._heard_at = 0.0

    # State, for logs, /ready and the reorder window

    @property
    def owned(self) -> frozenset[int]:
        """The shards whose messages are wanted."""
        return frozenset(self._owned)

    @property
    def facts(self) -> dict[str, object]:
        """What logs say of it: topics of consecutive shards as `overfly/positions/0-15`."""
        prefix = ARRAY_TOPICS[0].removesuffix("0")
        topics = [f"{prefix}{shards}" for shards in _ranges(self._owned)]
        return {"broker": self._endpoint.url, "topics": topics, "sessions": len(self._owned)}

    @property
    def subscribed(self) -> bool:
        """Every session is connected, and the broker has granted its topic; true where there is none."""
        return all(subscription.session.subscribed for subscription in self._owned.values())

    @property
    def drained(self) -> bool:
        """The broker had nothing more in any session when the last batch closed."""
        return all(subscription.drained for subscription in self._owned.values())

    @property
    def connection(self) -> int:
        """Counts connections of all sessions."""
        return self._connection

    @property
    def problem(self) -> str | None:
        """What is wrong with the first session that something is wrong with; the shards are named where
        others are well.
        """
        owned = self._owned
        problems = {shard: owned[shard].session.problem for shard in owned}
        troubled = [shard for shard, problem in problems.items() if problem is not None]
        if not troubled:
            return None
        first = problems[troubled[0]]
        if len(troubled) == len(owned):
            return first
        return f"shard{'s' if len(troubled) > 1 else ''} {', '.join(_ranges(troubled))}: {first}"

    @property
    def unacknowledged(self) -> int:
        """Messages of the sessions' present connections that the broker waits to have acknowledged."""
        return sum(subscription.unacknowledged for subscription in self._owned.values())

    # What is wanted

    def own(self, shards: Collection[int]) -> None:
        """The shards whose messages are wanted from now on.

        What is held of others is dropped; their sessions end, and stay at the broker for the next owner.
        Raises ValueError for what is no shard, EndpointError as above; nothing has changed then.
        """
        strangers = set(shards).difference(range(SHARDS))
        if strangers:
            raise ValueError(f"shard {min(strangers)}: expected 0..{SHARDS - 1}")
        before = self._owned
        self._replace({shard: before.get(shard) or self._subscription(shard) for shard in sorted(shards)})

    def start_over(self) -> None:
        """Drops what is held or unacknowledged and connects anew: the broker sends all of it again."""
        self._replace({shard: self._subscription(shard) for shard in self._owned})

    def _subscription(self, shard: int) -> Subscription:
        return Subscription(
            replace(self._endpoint, client_id=f"{self._endpoint.client_id}-{shard}"),
            [ARRAY_TOPICS[shard]],
            self._silence,
            on_message=self._take,
            on_connection=self._count_connection,
            watch=self._watch,
        )

    def _replace(self, owned: Mapping[int, Subscription]) -> None:
        before, self._owned = self._owned, owned
        self._give_up({shard: old for shard, old in before.items() if owned.get(shard) is not old})
        self._of_session = {subscription.session: subscription for subscription in owned.values()}
        self._due_at = 0.0

    def _give_up(self, subscriptions: Mapping[int, Subscription]) -> None:
        if not subscriptions:
            return
        topics = {ARRAY_TOPICS[shard] for shard in subscriptions}
        self._batch.drop(lambda message: message.topic in topics)
        for subscription in subscriptions.values():
            self._unread.pop(subscription, None)
            self._of_connection.pop(subscription.number, None)
        end([subscription.session for subscription in subscriptions.values()], FAREWELL_SECONDS)

    # Work

    def receive(self, timeout: float) -> list[Message]:
        """The next batch; [] when nothing came within `timeout` seconds or `wake` was called.

        Connects by itself. Never raises for what a broker or network does.
        """
        now = time.monotonic()
        deadline, self._listening_since = now + timeout, now
        while not self._complete(now):
            woken = self._turn(self._closes_at() if self._batch else deadline)
            now = time.monotonic()
            if not self._batch and (woken or now >= deadline):
                self._note_quiet()
                return []
        return self._close_batch()

    def acknowledge(self, receipts: Iterable[int]) -> None:
        """Tells the broker that these are safe. Those of an earlier connection or of a shard that was given
        up come again, here or to the next owner, and are passed over.
        """
        by_connection: dict[int, list[int]] = {}
        for receipt in receipts:
            by_connection.setdefault(receipt // PACKET_IDS, []).append(receipt)
        for number, its_receipts in by_connection.items():
            subscription = self._of_connection.get(number)
            if subscription is not None:
                subscription.acknowledge(its_receipts)
                self._arrange(subscription.session)

    def rest(self, seconds: float) -> None:
        """Keeps the sessions alive for so long, or until `wake`, without giving out messages.

        Takes what comes, up to one batch in all; beyond that messages wait in the network and at the broker.
        """
        for subscription in self._owned.values():
            subscription.note_rest()
        until = time.monotonic() + seconds
        while time.monotonic() < until and not self._turn(until):
            pass

    def wake(self) -> None:
        """Makes a `receive` or `rest` that waits return; from any thread or a signal handler."""
        self._watch.wake()

    def close(self) -> None:
        """Ends the sessions. The broker keeps what was not acknowledged."""
        self.own(())
        self._watch.close()

    # Batches

    def _take(self, message: Message) -> None:
        if not self._batch:
            self._batch.started_at = time.monotonic()
        self._batch.add(message)

    def _complete(self, now: float) -> bool:
        return bool(self._batch) and (not self._batch.has_room() or now >= self._closes_at())

    def _closes_at(self) -> float:
        return min(max(self._heard_at + self._silence, self._batch.started_at), self._batch.ages_at)

    def _close_batch(self) -> list[Message]:
        full = not self._batch.has_room()
        for subscription in self._owned.values():
            subscription.note_batch(full=full, listened_until=self._listened_until)
        return self._batch.take()

    def _note_quiet(self) -> None:
        for subscription in self._owned.values():
            since = max(subscription.session.heard_at, self._listening_since)
            subscription.note_quiet(since, self._listened_until)

    def _count_connection(self, subscription: Subscription) -> int:
        self._of_connection.pop(subscription.number, None)
        self._connection += 1
        self._of_connection[self._connection] = subscription
        return self._connection

    # Sessions

    def _turn(self, until: float) -> bool:
        """Waits until then for the sessions, takes what has come, and does what is due. Whether somebody woke
        us.
        """
        now, room = time.monotonic(), self._batch.has_room()
        if now >= self._due_at or room != self._listening:
            self._listening = room
            self._arrange_all(now)
        at_once = room and self._unread
        ready, woken = self._watch.wait(0.0 if at_once else min(until, self._due_at) - now)
        quiet_until = self._quiet_until()
        if room:
            self._listened_until = self._watch.ended_at
        for session, mask in ready.items():
            subscription = self._of_session[session]
            self._unread[subscription] = self._unread.get(subscription, 0) | mask
        for subscription, mask in list(self._unread.items()):
            self._exchange(subscription, mask, quiet_until)
        return woken

    def _quiet_until(self) -> float:
        """Until when a socket that is ready now had certainly nothing to read."""
        watch = self._watch
        return watch.ended_at if watch.waited >= self._silence else self._listened_until

    def _exchange(self, subscription: Subscription, ready: int, quiet_until: float) -> None:
        session, has_room = subscription.session, self._batch.has_room
        if ready & READ:
            subscription.note_quiet(session.heard_at, quiet_until)
        session.exchange(ready, has_room)
        if ready & READ and (session.read_ahead or not has_room()):
            self._unread[subscription] = READ
        else:
            del self._unread[subscription]
        if ready & READ and not subscription.stopped:  # from who has stopped, waiting brings no more
            self._heard_at = time.monotonic()
        self._arrange(session)

    def _arrange(self, session: MqttSession) -> None:
        due_at = session.arrange(self._listening) if session.open else session.attempt_at
        self._due_at = min(self._due_at, due_at)

    def _arrange_all(self, now: float) -> None:
        """Does what is due in each session. One connects at a time, since a broker that does not answer
        keeps us waiting.
        """
        self._due_at = inf
        closed = []
        for subscription in self._owned.values():
            if not subscription.session.open and now >= subscription.session.attempt_at:
                closed.append(subscription.session)
            else:
                self._arrange(subscription.session)
        if closed:
            first = min(closed, key=attrgetter("attempt_at"))
            self._due_at = min(self._due_at, first.arrange(self._listening))
        if len(closed) > 1:
            self._due_at = now


def _ranges(shards: Iterable[int]) -> list[str]:
    """Ascending numbers, with consecutive ones as `0-15`."""
    ranges: list[list[int]] = []
    for shard in shards:
        if ranges and shard == ranges[-1][-1] + 1:
            ranges[-1][1:] = [shard]
        else:
            ranges.append([shard])
    return ["-".join(map(str, ends)) for ends in ranges]
