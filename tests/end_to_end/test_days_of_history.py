"""History on PostgreSQL: flights of now are in days of now, those of years ago in that of all others."""

import gzip
import json
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from sample_data.flights import FlightFiles
from tests.brokers import Mosquitto
from tests.exact_flights import Flown, replay
from tests.postgres import Postgres, session
from tests.services import Overfly
from tests.waiting import wait_until

COUNT = 400


def test_what_is_replayed_as_of_now_goes_into_the_days_of_now(
    flights: FlightFiles, tmp_path: Path, postgres: Postgres
) -> None:
    path = tmp_path / "some.ndjson"
    with gzip.open(flights.positions) as file:
        lines = list(islice(file, COUNT))
    path.write_bytes(b"".join(lines))
    devices = {json.loads(line)["deviceId"] for line in lines}
    flown = Flown(path, flights.geofences, COUNT, len(devices), frozenset())
    url = postgres.empty_database()

    def rows() -> dict[str, int]:
        """By partition."""
        with session(url) as connection:
            return dict(
                connection.execute("SELECT tableoid::regclass::text, count(*) FROM position GROUP BY 1")
            )

    with Mosquitto(tmp_path / "broker") as broker:
        settings = {"DATABASE_URL": url, "MQTT_URL": broker.url}
        with Overfly(tmp_path / "overfly", settings):
            began = datetime.now(UTC)
            for options in (["--now", "--speed", "1000"], []):
                publisher = replay(flown, broker, *options)
                assert publisher.wait(60) == 0
            wait_until(lambda: sum(rows().values()) == 2 * COUNT, 60)
            ended = datetime.now(UTC)
    found = rows()
    assert found.pop("position_of_other_days") == COUNT
    assert found.keys() <= {f"position_{day:%Y%m%d}" for day in (began, ended)}
    assert sum(found.values()) == COUNT
