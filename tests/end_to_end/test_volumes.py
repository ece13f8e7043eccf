"""A volume by the API and by `overfly evaluate`: the same events, also where altitudes are unknown."""

import json
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.services import Overfly
from tests.waiting import wait_until

VOLUME = {
    "type": "Feature",
    "id": "volume",
    "geometry": {"type": "Point", "coordinates": [8.5, 47.5]},
    "properties": {
        "radius": 1000,
        "minAltitude": 500,
        "maxAltitude": 900,
        "maxAccuracy": 50,
        "devices": ["a*"],
    },
}
FIXES = [
    {"altitude": 400},
    {"altitude": 500},
    {"altitude": 2000, "accuracy": 51},
    {"altitude": 901},
    {},
    {"altitude": "600"},
    {"altitude": 100, "accuracy": 50},
]


@pytest.mark.parametrize(
    ("unknown", "expected"),
    [
        ("outside", [("ENTER", 1), ("EXIT", 3)]),
        ("inside", [("ENTER", 1), ("EXIT", 3), ("ENTER", 4), ("EXIT", 6)]),
    ],
)
def test_a_volume_has_the_same_events_live_and_offline(
    tmp_path: Path, unknown: str, expected: list[tuple[str, int]]
) -> None:
    positions = [
        {
            "deviceId": device,
            "timestamp": f"2020-01-01T00:00:0{second}Z",
            "longitude": 8.5,
            "latitude": 47.5,
            **fix,
        }
        for second, fix in enumerate(FIXES)
        for device in ("abc", "xyz")
    ]
    with Overfly(tmp_path, {"UNKNOWN_ALTITUDE": unknown}) as overfly:
        url = f"{overfly.url}/v1"
        assert httpx.put(f"{url}/geofences/volume", json=VOLUME).status_code == 201
        assert httpx.post(f"{url}/positions", json=positions).status_code == 202
        wait_until(lambda: len(list(overfly.items("/v1/events"))) >= len(expected), 30)
        live = list(overfly.items("/v1/events"))

    (tmp_path / "fences.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": [VOLUME]}))
    (tmp_path / "positions.ndjson").write_text("".join(f"{json.dumps(each)}\n" for each in positions))
    files = ["--geofences", tmp_path / "fences.geojson", "--positions", tmp_path / "positions.ndjson"]
    command = [sys.executable, "-c", "from service.cli import main; main()", "evaluate", *files]
    done = subprocess.run(
        [*command, "--unknown-altitude", unknown], capture_output=True, text=True, check=True
    )
    offline = list(map(json.loads, done.stdout.splitlines()))

    assert [(event["eventType"], int(event["sampleTime"][17:19])) for event in offline] == expected
    assert [event["eventId"] for event in live] == [event["eventId"] for event in offline]
