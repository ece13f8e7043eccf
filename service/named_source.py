"""Where the settings say that positions come from: the broker, or the queue."""

from typing import Final

from ingest.aws.clients import Timeouts
from ingest.aws.queue_source import QueueSource
from ingest.mqtt.connection import EndpointError
from ingest.mqtt.sharded_source import ShardedMqttSource
from ingest.mqtt.source import MqttSource
from ingest.source import Source
from service.errors import SettingsError
from service.named_broker import mqtt_endpoint
from service.named_queue import named_queue
from service.settings import Settings

BY_SHARD: Final = "overfly/positions/+"
"""Where this is all that is read, each shard has a session, and several workers share them."""
QUEUE_TIMEOUTS: Final = Timeouts(connect=3.0, read=15.0)


def named_source(settings: Settings) -> Source | None:
    """The source that the settings name; None where they name none. Raises SettingsError."""
    if settings.track_from == "mqtt" and settings.mqtt_url is None:
        raise SettingsError("OVERFLY_TRACK_FROM=mqtt needs a broker: set OVERFLY_MQTT_URL too")
    if settings.track_from == "queue" and settings.queue_url is None:
        raise SettingsError("OVERFLY_TRACK_FROM=queue needs a queue: set OVERFLY_QUEUE_URL too")
    if settings.track_from == "queue" or settings.mqtt_url is None:
        return _queue(settings)
    return _broker(settings)


def _broker(settings: Settings) -> MqttSource | ShardedMqttSource | None:
    endpoint = mqtt_endpoint(settings, settings.mqtt_client_id or f"overfly-{settings.tracker}")
    if endpoint is None:
        return None
    try:
        if settings.database_url is not None and settings.topics == (BY_SHARD,):
            return ShardedMqttSource(endpoint)
        return MqttSource(endpoint, settings.topics)
    except EndpointError as error:
        raise SettingsError(f"OVERFLY_MQTT_*: {error}") from None


def _queue(settings: Settings) -> QueueSource | None:
    queue = named_queue(settings, QUEUE_TIMEOUTS)
    return None if queue is None else QueueSource(queue.client, queue.url)
