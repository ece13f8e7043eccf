"""From the source into the tracker: receive, commit, acknowledge; and evaluate what has waited long enough.

One thread does it all: what a source gave is committed before more is asked of it, so that nothing is taken
from a broker or a queue faster than the disk keeps it.
"""

import random
import threading
import time
from collections.abc import Callable, Sequence

import structlog

from ingest.messages import Message, receipts, redelivered
from ingest.mqtt.sharded_source import ShardedMqttSource
from ingest.source import Source
from service.errors import NameTaken, ShardsLost, StoreAway
from service.metrics import Metrics
from service.tracker import Tracker

IDLE_SECONDS = 1.0
NOTICE_SECONDS = 0.25
"""How often to look for what others stored and is to be evaluated here."""
FIRST_RETRY, LAST_RETRY = 0.1, 5.0  # seconds between tries while the database is away

log = structlog.get_logger("overfly")


class Pipeline:
    """Feeds one tracker. Without a source it only evaluates what was posted."""

    def __init__(self, tracker: Tracker, tracker_name: str, source: Source | None, metrics: Metrics) -> None:
        self._tracker = tracker
        self._tracker_name = tracker_name
        self._source = source
        self._metrics = metrics
        self._nudged = threading.Event()
        self._stop = threading.Event()
        self._connection: int | None = None  # of the source, whose window the clock counts
        self._told: tuple[bool, str | None] = (False, None)
        self._balance_at = self._notice_at = 0.0
        self.trouble: str | None = None
        """Why what came cannot be stored now; from any thread."""

    def run(self) -> None:
        """Until `stop`; what was received and not committed by then is the source's to deliver again."""
        try:
            if self._source is None and self._commit(self._tracker.restart_window):
                self._tracker.run_window(True)
            while not self._stop.is_set():
                self._turn()
        finally:
            if self._source is not None:
                self._source.close()

    def wake(self) -> None:
        """Something was stored that is to be evaluated. From any thread."""
        self._nudged.set()
        if self._source is not None:
            self._source.wake()

    def stop(self) -> None:
        """From any thread."""
        self._stop.set()
        self.wake()

    def _turn(self) -> None:
        self._share()
        until_due = self._tracker.seconds_until_due()
        idle = IDLE_SECONDS if self._tracker.shards.balance_seconds is None else NOTICE_SECONDS
        timeout = idle if until_due is None else min(until_due, idle)
        if self._source is None:
            self._nudged.wait(timeout)
            self._nudged.clear()
        else:
            messages = self._source.receive(timeout)
            if messages:
                if not self._ingest(self._source, messages):
                    return
                self._source.acknowledge(receipts(messages))
            self._keep_window(self._source)
        self._commit(self._tracker.evaluate_due)

    def _ingest(self, source: Source, messages: Sequence[Message]) -> bool:
        """Answers whether it is to be acknowledged."""
        tries = 0

        def ingest() -> None:
            nonlocal tries
            tries += 1
            again = tries > 1  # of the first try a part may be committed, or all
            self._tracker.ingest(redelivered(messages) if again else messages, self._tracker_name)

        while True:
            try:
                return self._commit(ingest)
            except NameTaken:
                raise
            except ShardsLost:
                shards = self._tracker.shards
                if isinstance(source, ShardedMqttSource):
                    source.own(shards.owned)
                    source.start_over()  # what is still ours comes again
                    return False
                if not shards.shared:
                    raise

    def _share(self) -> None:
        """Sees to it that we have our share of the shards, and what others stored of them."""
        shards, now = self._tracker.shards, time.monotonic()
        if shards.balance_seconds is None:
            return
        if now >= self._balance_at:
            self._balance_at = now + shards.balance_seconds
            self._commit(shards.balance)
            if isinstance(self._source, ShardedMqttSource):
                self._source.own(shards.owned)
        if now >= self._notice_at:
            self._notice_at = now + NOTICE_SECONDS
            self._commit(self._tracker.notice_stored)
        if isinstance(self._source, ShardedMqttSource):
            self._source.own(shards.owned)
        self._metrics.shards_owned.set(len(shards.owned))

    def _keep_window(self, source: Source) -> None:
        """The window's clock runs while the source is connected and drained, anew for each connection."""
        self._metrics.source_connected.set(source.subscribed)
        self._tell(source)
        counts = source.subscribed and source.drained
        if source.connection != self._connection:
            self._tracker.run_window(False)
            if counts and self._commit(self._tracker.restart_window):
                self._connection = source.connection
        if source.connection == self._connection:
            self._tracker.run_window(counts)

    def _tell(self, source: Source) -> None:
        """Says once what has become of the connection."""
        state = (source.subscribed, source.problem)
        if state == self._told:
            return
        self._told = state
        if source.subscribed:
            log.info("source.subscribed", **source.facts)
        elif source.problem is not None:
            log.warning(
                "source.away", problem=source.problem, next="tried again, with growing pauses", **source.facts
            )

    def _commit(self, action: Callable[[], None]) -> bool:
        """Does it as soon as the database can; answers whether it was done before we were to stop."""
        delay = FIRST_RETRY
        waited = False
        while not self._stop.is_set() or not waited:
            try:
                action()
            except StoreAway as error:
                log.warning("tracker.store_away", error=str(error), retry_seconds=round(delay, 2))
                self._metrics.store_away.inc()
                self.trouble = str(error)
                self._rest(delay * random.uniform(0.8, 1.2))  # noqa: S311 - jitter, no secret
                delay = min(delay * 2, LAST_RETRY)
                waited = True
            else:
                self.trouble = None
                if waited:
                    log.info("tracker.store_back")
                return True
        return False

    def _rest(self, seconds: float) -> None:
        if self._source is None:
            self._stop.wait(seconds)
        else:
            self._source.rest(seconds)
