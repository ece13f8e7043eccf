"""`overfly serve` as a process: how it starts, refuses to start, and ends."""

import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from geofence.reading.geojson import feature_text
from tests.brokers import Mosquitto, free_port
from tests.service.workshop import box
from tests.services import Overfly
from tests.waiting import wait_until

OVERFLY = (sys.executable, "-c", "from service.cli import main; main()")


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path / "broker") as started:
        yield started


@pytest.fixture
def overfly(tmp_path: Path, broker: Mosquitto) -> Iterator[Overfly]:
    made = Overfly(tmp_path / "overfly", {"MQTT_URL": broker.url})
    with made:
        yield made


def refusal(overfly: Overfly, *arguments: str) -> tuple[int, str]:
    """Exit status and what a second command says, in the environment of a running service."""
    ended = subprocess.run(
        [*OVERFLY, *arguments],
        env=overfly.environment(),
        cwd=overfly.folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return ended.returncode, ended.stderr


def test_a_second_service_on_the_same_folder_says_who_holds_it(overfly: Overfly) -> None:
    status, said = refusal(overfly, "serve", "--port", "0")

    assert overfly.process is not None
    assert status == 1
    assert f"held by overfly serve, process {overfly.process.pid}" in said


def test_a_port_in_use_is_said_with_what_to_do(overfly: Overfly, tmp_path: Path) -> None:
    other = Overfly(tmp_path / "other")
    other.folder.mkdir()
    status, said = refusal(other, "serve", "--port", str(overfly.port))

    assert status == 2
    assert f"port {overfly.port} at 127.0.0.1 is in use" in said
    assert "--port" in said


def test_any_address_but_loopback_is_refused_without_authentication(tmp_path: Path) -> None:
    other = Overfly(tmp_path / "other")
    other.folder.mkdir()
    status, said = refusal(other, "serve", "--port", "0", "--host", "0.0.0.0")

    assert status == 2
    assert "overfly keys create" in said
    assert "OVERFLY_OIDC_ISSUER" in said


def test_a_setting_that_is_not_known_is_named_with_its_likely_meaning(tmp_path: Path) -> None:
    other = Overfly(tmp_path / "other", {"MQTT_ULR": "mqtt://secret@127.0.0.1"})
    other.folder.mkdir()
    status, said = refusal(other, "serve", "--port", "0")

    assert status == 2
    assert "OVERFLY_MQTT_ULR" in said
    assert "OVERFLY_MQTT_URL" in said
    assert "secret" not in said


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_drains_and_exits_with_0_within_ten_seconds(overfly: Overfly, number: int) -> None:
    process, overfly.process = overfly.process, None
    assert process is not None
    asked = time.monotonic()
    process.send_signal(number)

    assert process.wait(15) == 0
    assert time.monotonic() - asked < 10


def test_not_ready_while_the_broker_is_away_and_ready_again_when_it_is_back(
    overfly: Overfly, broker: Mosquitto
) -> None:
    broker.stop()
    wait_until(lambda: httpx.get(f"{overfly.url}/v1/ready").status_code == 503, 20)
    source = httpx.get(f"{overfly.url}/v1/ready").json()["dependencies"]["source"]
    assert source["required"]
    assert not source["ok"]
    assert httpx.get(f"{overfly.url}/v1/health").status_code == 200
    broker.start()
    wait_until(lambda: httpx.get(f"{overfly.url}/v1/ready").status_code == 200, 40)


def test_a_posted_position_is_evaluated_without_any_message_coming(overfly: Overfly) -> None:
    httpx.put(f"{overfly.url}/v1/geofences/A", content=feature_text(box("A", 0, 10))).raise_for_status()
    fix = {"deviceId": "x", "timestamp": time.time(), "latitude": 0, "longitude": 5}
    assert httpx.post(f"{overfly.url}/v1/positions", json=fix).status_code == 202

    wait_until(lambda: len(list(overfly.items("/v1/events"))) == 1, 60)


def test_a_geofence_changed_while_positions_flow_is_in_force_from_the_next_batch(
    overfly: Overfly, broker: Mosquitto
) -> None:
    """Put, moved away, moved back and deleted under a device that stands still and reports all the while."""
    command = [*OVERFLY, "replay", "-", "--mqtt", broker.url, "--speed", "1"]
    began = time.time()
    lines = [
        json.dumps({"deviceId": "x", "timestamp": began + 0.02 * step, "latitude": 0, "longitude": 5}) + "\n"
        for step in range(600)
    ]
    publisher = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert publisher.stdin is not None
    publisher.stdin.write("".join(lines).encode())
    publisher.stdin.close()
    wait_until(lambda: overfly.metric("overfly_positions_total") > 20, 30)
    url = f"{overfly.url}/v1/geofences/A"
    for west, events in ((0, 1), (50, 2), (0, 3)):
        httpx.put(url, content=feature_text(box("A", west, west + 10))).raise_for_status()
        wait_until(lambda events=events: len(list(overfly.items("/v1/events"))) == events, 60)
    httpx.delete(url).raise_for_status()
    before = overfly.metric("overfly_positions_total")
    wait_until(lambda: overfly.metric("overfly_positions_total") > before + 20, 60)
    publisher.terminate()
    publisher.wait(20)

    assert [each["eventType"] for each in overfly.items("/v1/events")] == ["ENTER", "EXIT", "ENTER"]


def test_on_a_full_disk_messages_wait_at_the_broker_and_none_is_lost(
    overfly: Overfly, broker: Mosquitto
) -> None:
    """The disk is full for this process alone: its files may not grow."""
    assert overfly.process is not None
    size = max(path.stat().st_size for path in (overfly.folder / "data").iterdir())
    limits = resource.prlimit(overfly.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(overfly.process.pid, resource.RLIMIT_FSIZE, (size, limits[1]))
    began = time.time() - 100
    lines = [
        json.dumps({"deviceId": f"d{n % 50}", "timestamp": began + n / 100, "latitude": 0, "longitude": 5})
        for n in range(5000)
    ]
    file = overfly.folder / "fixes.ndjson"
    file.write_text("\n".join(lines))
    subprocess.run([*OVERFLY, "replay", str(file), "--mqtt", broker.url], check=True, capture_output=True)
    wait_until(lambda: overfly.metric("overfly_store_away_total") > 2, 30)
    assert overfly.metric("overfly_positions_total") < 5000
    resource.prlimit(overfly.process.pid, resource.RLIMIT_FSIZE, limits)

    wait_until(lambda: overfly.metric("overfly_positions_total") == 5000, 60)
    assert sum(1 for n in range(50) for _ in overfly.items(f"/v1/devices/d{n}/positions")) == 5000
    os.kill(overfly.process.pid, 0)


def test_a_broker_that_is_not_there_is_told_at_once_and_once(tmp_path: Path) -> None:
    lost = Overfly(tmp_path / "overfly", {"MQTT_URL": f"mqtt://127.0.0.1:{free_port()}"}).launch()
    try:
        wait_until(lambda: "does not answer" in lost.log, 30, lambda: lost.log)
        time.sleep(2)  # nothing is to be seen of the attempts that fail meanwhile: that is the claim
        assert lost.log.count("source.away") == 1
    finally:
        assert lost.stop() == 0


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"TOPICS": "aircraft/#/x"}, "OVERFLY_TOPICS: 'aircraft/#/x' is no MQTT topic filter"),
        ({"SMTP_URL": "localhost"}, "OVERFLY_SMTP_URL: an SMTP URL is"),
        ({"ALERT_EMAIL": "nobody", "SMTP_URL": "smtp://127.0.0.1:1"}, "OVERFLY_ALERT_EMAIL: 'nobody'"),
        ({"ALERT_EMAIL": "me@example.org"}, "OVERFLY_ALERT_EMAIL needs a mail server"),
    ],
)
def test_what_serve_refuses_doctor_names_too(tmp_path: Path, settings: dict[str, str], named: str) -> None:
    other = Overfly(tmp_path / "other", settings)
    other.folder.mkdir()
    status, said = refusal(other, "serve", "--port", "0")
    assert (status, named in said) == (2, True), said

    ended = subprocess.run(
        [*OVERFLY, "doctor"],
        env=other.environment(),
        cwd=other.folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode != 0
    assert named in ended.stdout + ended.stderr


def test_a_mistake_in_the_settings_file_is_told_with_file_and_line(tmp_path: Path) -> None:
    other = Overfly(tmp_path / "other")
    other.folder.mkdir()
    (other.folder / "overfly.toml").write_text('OVERFLY_TRACKER = "default"\nOVERFLY_ALERT_EMAIL = "nobody\n')
    status, said = refusal(other, "settings")

    assert status == 2
    assert "overfly.toml" in said
    assert "line 2" in said
    assert "Traceback" not in said
