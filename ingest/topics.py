"""Topics: devices publish to `aircraft/<deviceId>/position`; batches travel by shard."""

from zlib import crc32

SHARDS = 64
"""Shards that devices are divided into."""
ARRAY_TOPICS = tuple(f"overfly/positions/{shard}" for shard in range(SHARDS))
"""Where arrays of positions are published, by shard."""

_PREFIX = "aircraft/"
_SUFFIX = "/position"


def device_of_topic(topic: str | None) -> str | None:
    """The device id that a topic binds its payload to, None for a topic that binds none.

    It is given as it stands in the topic, valid or not (`aircraft//position` binds to '', so that
    nothing can be published there).
    """
    if topic is None or not topic.startswith(_PREFIX) or not topic.endswith(_SUFFIX):
        return None
    device_id = topic[len(_PREFIX) : -len(_SUFFIX)]
    if "/" in device_id or len(topic) < len(_PREFIX) + len(_SUFFIX):
        return None
    return device_id


def topic_of_device(device_id: str) -> str:
    """Where a device publishes: the topic that binds its payload to it."""
    return f"{_PREFIX}{device_id}{_SUFFIX}"


def shard_of(device_id: str) -> int:
    """The shard of a device, 0..63: CRC-32 of the id in UTF-8, modulo 64."""
    return crc32(device_id.encode()) % SHARDS


def shard_of_topic(topic: str) -> int:
    """The shard that a message of this topic travels in: its device's, or where the topic binds none,
    one of the topic's own, so that its messages keep their order.
    """
    device_id = device_of_topic(topic)
    return shard_of(topic if device_id is None else device_id)
