"""Topic filters: what a subscription hears."""

from collections.abc import Iterable

from paho.mqtt.client import topic_matches_sub


def is_heard(topic: str, filters: Iterable[str]) -> bool:
    """Whether who subscribes to these topic filters receives what is published to this topic."""
    return any(topic_matches_sub(each, topic) for each in filters)
