"""`overfly bridge`: from the source broker into the queue of another account."""

import signal
import time
from collections.abc import Mapping, Sequence
from types import FrameType
from typing import Final

import structlog
import typer

from ingest.aws.clients import Timeouts
from ingest.aws.queue_sender import QueueSender
from ingest.bridge import Bridge
from ingest.mqtt.connection import EndpointError, MqttEndpoint
from ingest.mqtt.source import MqttSource
from service.errors import SettingsError
from service.hop_metrics import Changes, Figure, HopMetrics, metrics_shown, watched
from service.logs import configure_logs
from service.named_broker import source_endpoint
from service.named_queue import named_queue
from service.settings import Settings, read_settings

QUEUE_TIMEOUTS: Final = Timeouts(connect=4.0, read=20.0)
BATCH_SIZE: Final = 1000
BATCH_BYTES: Final = 1 << 20
BATCH_AGE: Final = 0.02
"""Of the batches in which the broker's messages are taken; they do not limit what the queue gets at once."""

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
    source, sender = _ends(settings)
    bridge = Bridge(source, sender, linger=settings.bridge_linger, most_bytes=settings.bridge_bytes)
    figures = HopMetrics("bridge", FIGURES, lambda: _readings(bridge, source))
    with metrics_shown(figures, settings.metrics_port):
        _stop_by_signal(bridge)
        log.info("bridge.started", broker=source.url, queue=settings.queue_url)
        lines = _Log(bridge, source)
        with watched(lines.look, lines.tell):
            bridge.run()
        log.info("bridge.stopped", held=bridge.counters.waiting)


def _ends(settings: Settings) -> tuple[MqttSource, QueueSender]:
    endpoint = source_endpoint(settings)
    if endpoint is None:
        raise SettingsError("`overfly bridge` needs a broker to subscribe at: set OVERFLY_SOURCE_MQTT_URL")
    queue = named_queue(settings, QUEUE_TIMEOUTS)
    if queue is None:
        raise SettingsError("`overfly bridge` needs a queue to fill: set OVERFLY_QUEUE_URL")
    try:
        source = bridge_source(endpoint, settings.source_topics)
    except EndpointError as error:
        raise SettingsError(f"OVERFLY_SOURCE_MQTT_*: {error}") from None
    return source, QueueSender(queue.client, queue.url)


def bridge_source(endpoint: MqttEndpoint, topics: Sequence[str]) -> MqttSource:
    """Raises EndpointError."""
    return MqttSource(endpoint, topics, batch_size=BATCH_SIZE, batch_bytes=BATCH_BYTES, batch_age=BATCH_AGE)


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


def _stop_by_signal(bridge: Bridge) -> None:
    def stop(number: int, _: FrameType | None) -> None:
        log.info("bridge.draining", signal=signal.Signals(number).name)
        bridge.stop()

    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, stop)


class _Log:
    """What has changed at either end, and how much was sent since it was last told."""

    def __init__(self, bridge: Bridge, source: MqttSource) -> None:
        self._bridge, self._source = bridge, source
        self._broker = Changes("bridge.broker_away", "bridge.subscribed")
        self._queue = Changes("bridge.refused", "bridge.accepted")
        self._told: Mapping[str, float] = _readings(bridge, source)

    def look(self) -> None:
        if self._source.subscribed:
            self._broker.note(None)
        elif self._source.problem is not None:
            self._broker.note(self._source.problem)
        if self._bridge.problem is not None or self._bridge.counters.sent:
            self._queue.note(self._bridge.problem)

    def tell(self) -> None:
        before, now = self._told, _readings(self._bridge, self._source)
        self._told = now
        done = {name: int(now[name] - before[name]) for name in ("sent", "entries", "requests", "bytes")}
        if any(done.values()) or now["waiting"]:
            log.info("bridge.sent", **done, waiting=now["waiting"])
