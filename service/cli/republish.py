"""`overfly republish`: from the queue to the destination broker, or AWS IoT Core."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from math import nan
from typing import Any, Final

import structlog
import typer

from ingest.aws.clients import Timeouts
from ingest.republisher import DRAIN_SECONDS, NoDeadLetterQueue, Republisher
from ingest.republishing.dead_letters import DeadLetterQueue
from ingest.republishing.work_queue import WorkQueue
from service.cli.signals import drain_at_signals
from service.errors import SettingsError
from service.hop_log import Changes, Done, PutAside, watched
from service.hop_metrics import Figure, HopMetrics, metrics_shown
from service.logs import configure_logs
from service.named_dead_letters import check_dead_letter_queue_url, dead_letter_queue_url
from service.named_hops import named_destination
from service.named_queue import named_queue
from service.settings import Settings, read_settings

QUEUE_TIMEOUTS: Final = Timeouts(connect=3.0, read=8.0)
"""Longer than a poll."""

FIGURES: Final = (
    Figure("received", "counter", "Messages received from the queue"),
    Figure("received_bytes", "counter", "Bytes of their bodies"),
    Figure("received_again", "counter", "Of them, those that had been received before"),
    Figure("deleted", "counter", "Messages deleted from the queue, all of them published or put aside"),
    Figure("given_back", "counter", "Messages given back to the queue"),
    Figure("dead_letters", "counter", "Messages sent to the dead-letter queue"),
    Figure("requests", "counter", "Requests to the queue"),
    Figure("sent", "counter", "Publications that the destination has acknowledged"),
    Figure("positions", "counter", "Positions in them"),
    Figure("as_they_came", "counter", "Of them, payloads that are no positions, published as they came"),
    Figure("bytes", "counter", "Bytes of their payloads"),
    Figure("retried", "counter", "Publications that were refused for the time being, and tried again"),
    Figure("waiting", "gauge", "Messages held, not deleted yet"),
    Figure("oldest_seconds", "gauge", "Since the oldest of them was received"),
    Figure("queue_depth", "gauge", "About how many messages wait in the queue; NaN while not known"),
    Figure("connected", "gauge", "1 while the destination is there"),
)

log = structlog.get_logger("overfly")


def register(app: typer.Typer) -> None:
    app.command("republish")(_republish)


def _republish() -> None:
    """Publish what is in the queue, as arrays by shard, until SIGTERM or Ctrl-C.

    Reads OVERFLY_QUEUE_URL and publishes to the broker of OVERFLY_MQTT_URL, or where none is set to AWS IoT
    Core. A message is deleted once all of it is acknowledged. While the destination is away, or nobody
    subscribes there, nothing more is received. What cannot be delivered goes to the dead-letter queue with
    its reason: `overfly redrive` lists it.
    """
    settings = read_settings()
    configure_logs(settings.log_format, settings.log_level)
    put_aside = PutAside("republish.put_aside")
    republisher = _republisher(settings, put_aside)
    figures = HopMetrics("republish", FIGURES, lambda: _readings(republisher))
    with metrics_shown(figures, settings.metrics_port):
        drain_at_signals("republish", republisher.stop, lambda: _awaited(republisher))
        log.info("republish.started", queue=settings.queue_url, destination=republisher.destination.url)
        with _logged(republisher, put_aside):
            try:
                republisher.run()
            except NoDeadLetterQueue:
                raise SettingsError(
                    "the queue has no redrive policy, so there is no place for what cannot be delivered: "
                    "give it one, or set OVERFLY_DEAD_LETTER_QUEUE_URL"
                ) from None
        log.info("republish.stopped", given_back=republisher.counts.given_back)


def _republisher(settings: Settings, put_aside: PutAside) -> Republisher:
    queue = named_queue(settings, QUEUE_TIMEOUTS)
    if queue is None:
        raise SettingsError("`overfly republish` needs a queue to read: set OVERFLY_QUEUE_URL")
    check_dead_letter_queue_url(settings)
    client: Any = queue.client

    def dead_letters(arn: str | None) -> DeadLetterQueue | None:
        url = dead_letter_queue_url(settings, client, arn)
        return None if url is None else DeadLetterQueue(client, url)

    return Republisher(
        WorkQueue(client, queue.url),
        named_destination(settings),
        dead_letters,
        batches=settings.republish_batches,
        on_put_aside=put_aside.add,
    )


def _awaited(republisher: Republisher) -> Mapping[str, object]:
    if not republisher.held:
        return {}
    until = f"they are published, or {DRAIN_SECONDS:g} s are over; the queue keeps what is not"
    return {"held": republisher.held, "awaited": until}


def _readings(republisher: Republisher) -> Mapping[str, float]:
    counts, published = republisher.counts, republisher.published
    return {
        "received": counts.received,
        "received_bytes": counts.received_bytes,
        "received_again": counts.again,
        "deleted": counts.deleted,
        "given_back": counts.given_back,
        "dead_letters": counts.dead_letters,
        "requests": counts.requests,
        "sent": published.publications,
        "positions": published.positions,
        "as_they_came": published.as_they_came,
        "bytes": published.bytes,
        "retried": published.tries_failed,
        "waiting": republisher.held,
        "oldest_seconds": republisher.held_seconds,
        "queue_depth": nan if republisher.depth is None else republisher.depth,
        "connected": float(republisher.destination.ready),
    }


@contextmanager
def _logged(republisher: Republisher, put_aside: PutAside) -> Iterator[None]:
    changes = Changes("republish.waiting", "republish.going_on")
    done = Done(
        "republish.published",
        ("deleted", "sent", "positions", "as_they_came", "dead_letters"),
        lambda: _readings(republisher),
        lambda: republisher.problem,
    )

    def look() -> None:
        changes.note(republisher.problem)
        put_aside.look()

    def tell() -> None:
        put_aside.tell()
        done.tell()

    with watched(look, tell):
        yield
