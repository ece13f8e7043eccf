"""Which device a topic binds, and which shard a device is in."""

from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.mqtt.filters import is_heard
from ingest.topics import SHARDS, device_of_topic, shard_of, shard_of_topic


@pytest.mark.parametrize(
    ("topic", "device_id"),
    [
        ("aircraft/4ca7b3/position", "4ca7b3"),
        ("aircraft/été-1/position", "été-1"),
        ("aircraft//position", ""),
        ("aircraft/a b/position", "a b"),
        ("aircraft/position", None),
        ("aircraft/a/b/position", None),
        ("aircraft/a/position/", None),
        ("/aircraft/a/position", None),
        ("overfly/positions/3", None),
        ("", None),
        (None, None),
    ],
)
def test_topic_of_a_device_binds_its_id_and_no_other_topic_does(
    topic: str | None, device_id: str | None
) -> None:
    assert device_of_topic(topic) == device_id


@given(st.text())
def test_any_text_is_a_topic_without_harm(topic: str) -> None:
    device_of_topic(topic)


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_shard_is_the_crc_of_the_id_modulo_64(device_id: str) -> None:
    assert shard_of(device_id) == crc32(device_id.encode()) % SHARDS


def test_shard_of_a_known_device_never_changes() -> None:
    assert shard_of("123456789") == 0xCBF43926 % 64  # the check value of CRC-32


def test_a_topic_travels_in_its_device_s_shard_or_in_one_of_its_own() -> None:
    assert shard_of_topic("aircraft/123456789/position") == shard_of("123456789")
    assert shard_of_topic("overfly/positions/3") == crc32(b"overfly/positions/3") % SHARDS


@pytest.mark.parametrize(
    ("topic", "heard"),
    [
        ("aircraft/a/position", True),
        ("ships/a/b", True),
        ("ships", True),
        ("aircraft/a/b", False),
        ("x", False),
    ],
)
def test_a_topic_is_heard_by_who_subscribes_to_a_filter_of_it(topic: str, heard: bool) -> None:
    assert is_heard(topic, ["aircraft/+/position", "ships/#"]) is heard
