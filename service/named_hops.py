"""Where the settings say that `bridge` reads and `republish` publishes."""

import os
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from ingest.aws.clients import AwsClientError, Timeouts
from ingest.mqtt.connection import EndpointError, MqttEndpoint
from ingest.mqtt.source import MqttSource
from ingest.republishing.destination import Destination
from ingest.republishing.iot_destination import IotDestination, iot_client
from ingest.republishing.mqtt_destination import MqttDestination
from service.errors import SettingsError
from service.named_broker import mqtt_endpoint, source_endpoint
from service.named_dead_letters import check_dead_letter_queue_url
from service.named_queue import named_queue, queue_role
from service.settings import Settings

BATCH_SIZE: Final = 1000
BATCH_BYTES: Final = 1 << 20
BATCH_AGE: Final = 0.02
"""Of the batches in which the broker's messages are taken; they do not limit what the queue gets at once."""
IOT_TIMEOUTS: Final = Timeouts(connect=2.0, read=4.0)
"""Short enough for an end within ten seconds."""


def named_bridge_source(settings: Settings) -> MqttSource | None:
    """The broker that the bridge subscribes at. Raises SettingsError."""
    endpoint = source_endpoint(settings)
    if endpoint is None:
        return None
    try:
        return bridge_source(endpoint, settings.source_topics)
    except EndpointError as error:
        raise SettingsError(f"OVERFLY_SOURCE_MQTT_*: {error}") from None


def bridge_source(endpoint: MqttEndpoint, topics: Sequence[str]) -> MqttSource:
    """Raises EndpointError."""
    return MqttSource(endpoint, topics, batch_size=BATCH_SIZE, batch_bytes=BATCH_BYTES, batch_age=BATCH_AGE)


def named_destination(settings: Settings) -> Destination:
    """The broker or AWS IoT Core, not connected yet. Raises SettingsError."""
    to_broker = settings.republish_to == "mqtt" or (
        settings.republish_to == "auto" and settings.mqtt_url is not None
    )
    if not to_broker:
        return _iot(settings.iot_endpoint)
    client_id = f"{settings.mqtt_client_id or 'overfly'}-republish-{settings.worker_id}-{os.getpid()}"
    endpoint = mqtt_endpoint(settings, client_id)
    if endpoint is None:
        raise SettingsError("OVERFLY_REPUBLISH_TO is mqtt, which needs a broker: set OVERFLY_MQTT_URL")
    try:
        return MqttDestination(endpoint)
    except EndpointError as error:
        raise SettingsError(f"OVERFLY_MQTT_*: {error}") from None


def hop_faults(settings: Settings) -> Iterator[str]:
    """Each reason for which `bridge` or `republish` would refuse what is set for them."""
    if settings.source_mqtt_url is not None and settings.queue_url is None:
        yield "OVERFLY_SOURCE_MQTT_URL needs a queue to fill: set OVERFLY_QUEUE_URL too"
    for named in NAMED:
        try:
            named(settings)
        except SettingsError as error:
            yield str(error)


def _iot(endpoint: str | None) -> IotDestination:
    if endpoint is None:
        return IotDestination(lambda: iot_client(None, IOT_TIMEOUTS))
    try:
        client = iot_client(endpoint, IOT_TIMEOUTS)
    except AwsClientError as error:
        raise SettingsError(f"OVERFLY_IOT_ENDPOINT, AWS_*: {error}") from None
    return IotDestination(lambda: client, endpoint)


NAMED: Final[tuple[Callable[[Settings], object], ...]] = (
    named_queue,
    queue_role,
    check_dead_letter_queue_url,
    named_bridge_source,
    named_destination,
)
"""Each raises SettingsError."""
