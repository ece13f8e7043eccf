"""How the workers at one database share what a source gives."""

from enum import Enum

from ingest.aws.clients import is_fifo
from ingest.aws.queue_source import QueueSource
from ingest.mqtt.source import MqttSource
from ingest.source import Source


class Sharing(Enum):
    """Who evaluates which shards."""

    WHOLE = "whole"
    """One worker evaluates all: a broker gives one session everything that comes in on plain topics."""
    LEASED = "leased"
    """Each worker evaluates as many as the next, and others' fixes are stored for their owners."""
    RECEIVED = "received"
    """Who receives a shard's messages evaluates it: a FIFO queue gives a group's to one at a time."""


def sharing_of(source: Source | None, window: float) -> Sharing:
    """window: of the reorder clock, in seconds; with one, fixes are stored first and evaluated by owners."""
    if isinstance(source, MqttSource):
        return Sharing.WHOLE
    if isinstance(source, QueueSource) and is_fifo(source.url) and window == 0:
        return Sharing.RECEIVED
    return Sharing.LEASED
