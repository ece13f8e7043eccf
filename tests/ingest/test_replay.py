"""Recorded fixes, published again to a real Mosquitto."""

import gzip
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest.decoding.blocks import UnreadableFile
from ingest.mqtt.connection import MqttEndpoint
from ingest.mqtt.publisher import BrokerAway, Progress
from ingest.mqtt.source import MqttSource
from ingest.replay import replay
from ingest.timestamps import milliseconds
from tests.brokers import Mosquitto, free_port
from tests.ingest.mqtt.traffic import TOPICS, endpoint_of, payloads, received, subscribed

START = 1_533_099_600_000  # 2018-08-01T05:00:00Z


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path_factory.mktemp("broker")) as mosquitto:
        yield mosquitto


@pytest.fixture
def source(broker: Mosquitto, request: pytest.FixtureRequest) -> Iterator[MqttSource]:
    subscriber = subscribed(MqttSource(endpoint_of(broker, client_id=request.node.name), TOPICS))
    yield subscriber
    subscriber.close()


@pytest.fixture
def device(broker: Mosquitto) -> MqttEndpoint:
    return endpoint_of(broker, client_id="")


def line(device_id: str, time_ms: int) -> bytes:
    return b'{"deviceId":"%b", "timestamp":%d,"latitude":46.5,"longitude":8.25,"callsign":"TOM2XE"}' % (
        device_id.encode(),
        time_ms,
    )


def recording(path: Path, lines: list[bytes]) -> Path:
    text = b"\n".join(lines) + b"\n"
    path.write_bytes(gzip.compress(text) if path.suffix == ".gz" else text)
    return path


def test_each_line_becomes_a_message_of_its_device_as_it_stands(
    tmp_path: Path, source: MqttSource, device: MqttEndpoint
) -> None:
    lines = [line(f"d{number % 7}", START + number) for number in range(1500)]
    replayed = replay(recording(tmp_path / "flights.ndjson.gz", lines), device)
    messages = received(source, 1500)
    assert payloads(messages) == lines
    assert [message.topic for message in messages[:8]] == [f"aircraft/d{n % 7}/position" for n in range(8)]
    assert (replayed.progress.published, replayed.progress.acknowledged) == (1500, 1500)
    assert (replayed.progress.unheard, replayed.progress.fraction) == (0, 1.0)
    assert not replayed.skipped


def test_lines_without_a_topic_are_skipped_and_counted_and_bad_ones_go_as_they_are(
    tmp_path: Path, source: MqttSource, device: MqttEndpoint
) -> None:
    bad = b'{"deviceId":"d","latitude":91}'
    lines = [line("d", START), b"", b"{broken", b'{"deviceId":"a/b"}', b'{"latitude":1}', b"[" * 2000, bad]
    replayed = replay(recording(tmp_path / "flights.ndjson", lines), device)
    assert payloads(received(source, 2)) == [lines[0], bad]
    assert replayed.skipped == {
        "no JSON object": 2,
        "no deviceId that can stand in a topic": 2,
    }
    assert replayed.first_skipped == (3, "no JSON object")


def test_now_gives_each_fix_the_time_at_which_it_is_due(
    tmp_path: Path, source: MqttSource, device: MqttEndpoint
) -> None:
    lines = [line("a", START), line("b", START + 1000), line("a", START + 20_000)]
    before = time.time() * 1000
    replay(recording(tmp_path / "flights.ndjson", lines), device, speed=40.0, now=True)
    after = time.time() * 1000
    fixes = [json.loads(payload) for payload in payloads(received(source, 3))]
    first, second, third = (_milliseconds(fix["timestamp"]) for fix in fixes)
    assert before - 1 <= first <= third <= after + 1
    assert (second - first, third - first) == (25, 500)
    assert {**fixes[2], "timestamp": 0} == {**json.loads(lines[2]), "timestamp": 0}


def test_fixes_of_a_device_stay_apart_at_any_speed(
    tmp_path: Path, source: MqttSource, device: MqttEndpoint
) -> None:
    lines = [line("a", START + number) for number in range(50)] + [line("a", START + 49)]
    replay(recording(tmp_path / "flights.ndjson", lines), device, speed=1e6, now=True)
    times = [json.loads(payload)["timestamp"] for payload in payloads(received(source, 51))]
    assert times[:50] == sorted(set(times))
    assert times[50] == times[49]


def test_speed_spreads_fixes_over_time(tmp_path: Path, source: MqttSource, device: MqttEndpoint) -> None:
    lines = [line("a", START + 1000 * number) for number in range(5)]
    started = time.monotonic()
    replay(recording(tmp_path / "flights.ndjson", lines), device, speed=10.0)
    assert time.monotonic() - started >= 0.4
    assert payloads(received(source, 5)) == lines


def test_broker_that_restarts_on_the_way_gets_every_line_in_order(tmp_path: Path) -> None:
    lines = [line("a", START + number) for number in range(8000)]
    flights = recording(tmp_path / "flights.ndjson", lines)
    with Mosquitto(tmp_path / "broker") as mosquitto:
        source = subscribed(MqttSource(endpoint_of(mosquitto), TOPICS))
        seen: list[Progress] = []
        replaying = threading.Thread(
            target=replay,
            args=(flights, endpoint_of(mosquitto, client_id="")),
            kwargs={"progress": seen.append},
        )
        replaying.start()
        messages = received(source, 500)
        mosquitto.restart()
        while len(set(payloads(messages))) < len(lines):
            messages += received(source, 1)
        replaying.join()
        source.close()
    assert list(dict.fromkeys(payloads(messages))) == lines
    assert seen[-1].acknowledged <= 8000


def test_nobody_listening_is_noticed(tmp_path: Path) -> None:
    with Mosquitto(tmp_path / "broker") as mosquitto:
        flights = recording(tmp_path / "flights.ndjson", [line("a", START)])
        assert replay(flights, endpoint_of(mosquitto, client_id="")).progress.unheard == 1


def test_file_or_broker_that_is_not_there_is_said(tmp_path: Path, device: MqttEndpoint) -> None:
    with pytest.raises(UnreadableFile, match="cannot be read"):
        replay(tmp_path / "missing.ndjson", device)
    flights = recording(tmp_path / "flights.ndjson", [line("a", START)])
    with pytest.raises(BrokerAway, match="connection refused"):
        replay(flights, MqttEndpoint(f"mqtt://127.0.0.1:{free_port()}"))


class TestCommand:
    """`overfly replay`"""

    def test_says_what_was_published_and_how_fast(
        self, tmp_path: Path, broker: Mosquitto, source: MqttSource
    ) -> None:
        flights = recording(tmp_path / "flights.ndjson", [line("a", START), b"{broken"])
        ended = overfly("replay", str(flights), "--mqtt", broker.url).wait_for_end()
        assert ended.status == 0
        assert ended.out.startswith("1 positions published in ")
        assert "1 lines skipped: no JSON object" in ended.err
        assert payloads(received(source, 1)) == [line("a", START)]

    def test_says_what_to_start_when_there_is_no_broker(self, tmp_path: Path) -> None:
        flights = recording(tmp_path / "flights.ndjson", [line("a", START)])
        port = free_port()
        ended = overfly("replay", str(flights), "--mqtt", f"mqtt://127.0.0.1:{port}").wait_for_end()
        assert ended.status == 1
        assert f"`mosquitto -p {port}`" in ended.err
        assert "Traceback" not in ended.err

    def test_ctrl_c_stops_it_cleanly(self, tmp_path: Path, broker: Mosquitto, source: MqttSource) -> None:
        lines = [line("a", START + 1000 * number) for number in range(100)]
        flights = recording(tmp_path / "flights.ndjson", lines)
        running = overfly("replay", str(flights), "--mqtt", broker.url, "--speed", "1")
        received(source, 1)
        running.process.send_signal(signal.SIGINT)
        ended = running.wait_for_end()
        assert ended.status == 130
        assert "positions published in" in ended.out
        assert "Traceback" not in ended.err


class overfly:  # noqa: N801  # stands for the command
    """A running command."""

    def __init__(self, *arguments: str) -> None:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("OVERFLY_")}
        self.process = subprocess.Popen(
            [sys.executable, "-c", "from service.cli import main; main()", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
        )

    def wait_for_end(self) -> "overfly":
        self.out, self.err = self.process.communicate(timeout=30)
        self.status = self.process.returncode
        return self


def _milliseconds(text: str) -> int:
    found = milliseconds(text)
    assert found is not None
    return found
