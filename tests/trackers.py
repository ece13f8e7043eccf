"""Several trackers at one PostgreSQL, and how positions come to them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.brokers import Mosquitto
from tests.hops import Hop
from tests.postgres import session
from tests.services import Overfly

LEASE_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Road:
    """How positions come to the trackers. `publishing`: options of `overfly replay`."""

    broker: Mosquitto
    publishing: Sequence[str]
    settings: Mapping[str, str]
    aws: Mapping[str, str]


class Trackers:
    """`overfly track`, several times, and beside them the API and who tells of events."""

    def __init__(self, folder: Path, road: Road, database: str) -> None:
        self._folder, self._road = folder, road
        self._database = {
            "DATABASE_URL": database,
            "LEASE_SECONDS": str(LEASE_SECONDS),
            "MQTT_URL": road.broker.url,
            "ALERT_MQTT": "true",
        }
        self.api = Overfly(folder / "api", self._database, options=["--api-only"])
        self.all: dict[str, Hop] = {}

    def add(self, name: str, command: str = "track") -> Hop:
        settings = {**self._database, **self._road.settings, "WORKER_ID": name}
        self.all[name] = Hop(command, self._folder / name, settings, self._road.aws)
        return self.all[name].start()

    def events(self) -> int:
        """How many there are in the database."""
        with session(self._database["DATABASE_URL"]) as connection:
            (rows,) = connection.execute("SELECT count(*) FROM event").fetchone() or (0,)
        return int(rows)

    def end(self) -> None:
        for each in self.all.values():
            if each.process is not None:
                each.resume()
                each.kill()
        self.api.kill()
