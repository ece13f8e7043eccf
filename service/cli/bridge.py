"""`overfly bridge`: from the source broker into the queue of another account."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

import structlog
import typer

from ingest.aws.clients import Timeouts
from ingest.aws.queue_look import QueueLook
from ingest.aws.queue_sender import QueueSender
from ingest.bridge import DRAIN_SECONDS, Bridge
from ingest.mqtt.source import MqttSource
from service.cli.signals import drain_at_signals
from service.errors import SettingsError
from service.hop_log import Changes, Done, watched
from service.hop_metrics import Figure, HopMetrics, metrics_shown
from service.logs import configure_logs
from service.named_hops import named_bridge_source
from service.named_queue import NamedQueue, named_queue
from service.settings import Settings, read_settings

QUEUE_TIMEOUTS: Final = Timeouts(connect=4.0, read=20.0)

FIGURES: Final = (
    Figure("received", "counter", "Messages received from the source broker"),
    Figure("sent", "counter", "Messages that the queue has accepted"),
    Figure("entries", "counter", "Queue messages that they travelled in"),
    Figure("bytes", "counter", "Bytes of those"),
    Figure("requests", "counter", "SendMessageBatch requests, failed ones too"),
    Figure("refused", "counter", "Queue messages that were refused and are sent again"),
    Figure("waiting", "gauge", "Messages held, not acknowledged to the source broker yet"),
    Figure("waiting_bytes", "gauge", "Bytes held for them"),
    Figure("oldest_seconds", "gauge", "Since the oldest of them was received"),
    Figure("connected", "gauge", "1 while connected and subscribed at the source broker"),
)

log = structlog.get_logger("overfly")


def register(app: typer.Typer) -> None:
    app.command("bridge")(_bridge)


def _bridge() -> None:
    """Send what the source broker publishes to a queue, until SIGTERM or Ctrl-C.

    Subscribes to OVERFLY_SOURCE_TOPICS at OVERFLY_SOURCE_MQTT_URL and fills OVERFLY_QUEUE_URL, as
    OVERFLY_QUEUE_ROLE_ARN where one is set. A message is acknowledged once the queue has accepted it; while
    the queue refuses, the bridge holds OVERFLY_BRIDGE_BYTES at most and tries again.
    """
    settings = read_settings()
    configure_logs(settings.log_format, settings.log_level)
    source, queue = _ends(settings)
    sender = QueueSender(queue.client, queue.url)
    bridge = Bridge(source, sender, linger=settings.bridge_linger, most_bytes=settings.bridge_bytes)
    figures = HopMetrics("bridge", FIGURES, lambda: _readings(bridge, source))
    with metrics_shown(figures, settings.metrics_port):
        drain_at_signals("bridge", bridge.stop, lambda: _awaited(bridge))
        log.info("bridge.started", broker=source.url, queue=queue.url)
        with _logged(bridge, source, queue):
            bridge.run()
        log.info("bridge.stopped", held=bridge.counters.waiting, **_kept(bridge))


def _ends(settings: Settings) -> tuple[MqttSource, NamedQueue]:
    source = named_bridge_source(settings)
    if source is None:
        raise SettingsError("`overfly bridge` needs a broker to subscribe at: set OVERFLY_SOURCE_MQTT_URL")
    queue = named_queue(settings, QUEUE_TIMEOUTS)
    if queue is None:
        raise SettingsError("`overfly bridge` needs a queue to fill: set OVERFLY_QUEUE_URL")
    return source, queue


def _awaited(bridge: Bridge) -> Mapping[str, object]:
    held = bridge.counters.waiting
    if not held:
        return {}
    until = f"the queue has them, or {DRAIN_SECONDS:g} s are over; the broker keeps what it has not"
    return {"held": held, "awaited": until}


def _kept(bridge: Bridge) -> Mapping[str, object]:
    if not bridge.counters.waiting:
        return {}
    return {"next": "the broker keeps what is held, and delivers it to the next `overfly bridge`"}


def _readings(bridge: Bridge, source: MqttSource) -> Mapping[str, float]:
    counters = bridge.counters
    oldest_at = counters.oldest_at
    return {
        "received": counters.received,
        "sent": counters.sent,
        "entries": counters.entries,
        "bytes": counters.bytes,
        "requests": counters.requests,
        "refused": counters.refused,
        "waiting": counters.waiting,
        "waiting_bytes": counters.waiting_bytes,
        "oldest_seconds": 0.0 if oldest_at is None else time.monotonic() - oldest_at,
        "connected": float(source.subscribed),
    }


@contextmanager
def _logged(bridge: Bridge, source: MqttSource, queue: NamedQueue) -> Iterator[None]:
    look = QueueLook(queue.client, queue.url, over=lambda: bridge.counters.sent > 0)
    broker = Changes("bridge.broker_away", "bridge.subscribed", source.facts)
    place = Changes("bridge.queue_away", "bridge.queue_there", {"queue": queue.url})
    sending = Changes("bridge.refused", "bridge.accepted")

    def problem() -> str | None:
        return bridge.problem or look.problem or (None if source.subscribed else source.problem)

    def note() -> None:
        if source.subscribed:
            broker.note(None)
        elif source.problem is not None:
            broker.note(source.problem)
        if look.problem is not None and not bridge.counters.requests:  # else `sending` says it
            place.note(look.problem)
        elif look.there or (place.troubled and bridge.counters.sent):
            place.note(None)
        if bridge.problem is not None or bridge.counters.sent:
            sending.note(bridge.problem)

    done = Done("bridge.sent", ("sent", "entries", "bytes"), lambda: _readings(bridge, source), problem)
    look.start()
    try:
        with watched(note, done.tell):
            yield
    finally:
        look.stop()
