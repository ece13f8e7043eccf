"""Bad messages between good ones: each is listed with its reason, each good one kept, memory stays flat."""

import json
import time
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
import pytest

from tests.brokers import Mosquitto
from tests.services import Overfly
from tests.waiting import wait_until

ROUNDS = 8
TOPIC = "aircraft/{}/position"


def fix(**members: Any) -> dict[str, Any]:
    now = time.time()
    return {"deviceId": "bad", "timestamp": now, "latitude": 46.5, "longitude": 7.5, **members}


def text(**members: Any) -> bytes:
    return json.dumps(fix(**members)).encode()


def without(name: str) -> bytes:
    return json.dumps({key: value for key, value in fix().items() if key != name}).encode()


def raw(member: str, value: bytes) -> bytes:
    """A fix whose member is written just so, JSON or not."""
    return text(**{member: "@"}).replace(b'"@"', value)


BAD: list[tuple[str, str, bytes]] = [
    ("bad_json", "positions", b'{"deviceId": "bad", "timestamp": '),
    ("bad_latitude", "positions", text(latitude=91)),
    ("bad_latitude", "positions", text(latitude="46.5")),
    ("bad_longitude", "positions", text(longitude=True)),
    ("missing", "positions", without("deviceId")),
    ("missing", "positions", without("timestamp")),
    ("device_mismatch", TOPIC.format("other"), text()),
    ("bad_timestamp", "positions", text(timestamp="2026-11-24T05:00:00")),
    ("in_future", "positions", text(timestamp="2099-01-01T00:00:00Z")),
    ("bad_timestamp", "positions", text(timestamp="99999-01-01T00:00:00Z")),
    ("bad_json", "positions", raw("latitude", b"NaN")),
    ("bad_latitude", "positions", raw("latitude", b"1e400")),
    ("bad_number", "positions", raw("speed", b"1e400")),
    ("too_large", "positions", b'{"deviceId": "' + b"x" * 10_000_000 + b'"}'),
    ("too_deep", "positions", raw("speed", b"[" * 300 + b"]" * 300)),
    ("bad_text", "positions", raw("callsign", b'"A\\u0000B"')),
    ("bad_text", "positions", raw("callsign", b'"\\ud800"')),
    ("bad_encoding", "positions", raw("callsign", b'"\xff\xfe"')),
    ("empty", "positions", b""),
    ("too_large", "positions", b"{" + b",".join(b'"%d":1' % n for n in range(1_000_000)) + b"}"),
    ("bad_device_id", "positions", text(deviceId="a/b")),
]


def publish(url: str, messages: list[tuple[str, bytes]]) -> None:
    host, port = url.removeprefix("mqtt://").split(":")
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
    client.connect(host, int(port))
    client.loop_start()
    sent = [client.publish(topic, payload, 1) for topic, payload in messages]
    for each in sent:
        each.wait_for_publish(60)
    client.disconnect()
    client.loop_stop()


@pytest.mark.parametrize("protocol", ["5", pytest.param("3.1.1", marks=pytest.mark.soak)])
def test_each_bad_message_is_listed_with_its_reason_and_each_good_one_kept(
    tmp_path: Path, protocol: str
) -> None:
    settings = {"TOPICS": "aircraft/+/position,positions", "MQTT_PROTOCOL": protocol}
    with Mosquitto(tmp_path / "broker") as broker:
        overfly = Overfly(tmp_path / "overfly", {**settings, "MQTT_URL": broker.url})
        with overfly:
            messages: list[tuple[str, bytes]] = []
            for number, (_, topic, payload) in enumerate(BAD):
                good = fix(deviceId=f"good-{number}")
                messages += [(TOPIC.format(f"good-{number}"), json.dumps(good).encode()), (topic, payload)]
            publish(broker.url, messages)
            wait_until(lambda: len(list(overfly.items("/v1/rejects"))) >= len(BAD), 60)

            rejects = list(overfly.items("/v1/rejects"))
            assert [each["reason"] for each in rejects] == [reason for reason, _, _ in BAD]
            assert all(len(each["payload"]) < 20_000 and each["detail"] for each in rejects)
            devices = {each["id"] for each in overfly.items("/v1/devices")}
            assert devices == {f"good-{number}" for number in range(len(BAD))}
            of_device = {each["reason"] for each in overfly.items("/v1/rejects", device="bad")}
            assert {"bad_latitude", "in_future", "too_deep"} <= of_device


@pytest.mark.soak
def test_memory_stays_flat_under_a_stream_of_large_and_broken_messages(tmp_path: Path) -> None:
    with Mosquitto(tmp_path / "broker") as broker:
        overfly = Overfly(
            tmp_path / "overfly", {"TOPICS": "aircraft/+/position,positions", "MQTT_URL": broker.url}
        )
        with overfly:
            heavy = [(topic, payload) for _, topic, payload in BAD]
            ones = ("positions", b"[" + b",".join([b"1"] * 500_000) + b"]")
            levels = []
            for turn in range(ROUNDS):
                publish(broker.url, [*heavy, ones])
                wait_until(
                    lambda turn=turn: (
                        overfly.metric("overfly_rejects_total") >= (turn + 1) * (len(BAD) + 500_000)
                    ),
                    90,
                )
                levels.append(overfly.memory)
            assert max(levels[ROUNDS // 2 :]) < max(levels[: ROUNDS // 2]) + (32 << 20), levels
            assert max(levels) < 600 << 20, levels
