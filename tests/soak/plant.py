"""What the soak runs: a database, a broker, trackers, who tells of events, the API."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import psycopg

from tests.brokers import Mosquitto
from tests.hops import Hop
from tests.postgres import Postgres, session
from tests.programs import Program
from tests.trackers import Road, Trackers

TRACKERS = ("tracker-1", "tracker-2", "tracker-3")
TELLERS = ("teller-1", "teller-2")
SPARED = ("tracker-1", "teller-1")
"""Never killed, so that their memory is seen over the whole time; paused and cut they are."""


class Plant:
    """All processes by name; `starts` counts how often one of a name has begun."""

    def __init__(self, folder: Path, postgres: Postgres, broker: Mosquitto) -> None:
        self.postgres, self.broker = postgres, broker
        self.url = postgres.empty_database()
        settings = {"MQTT_URL": broker.url, "TOPICS": "overfly/positions/+"}
        self._all = Trackers(folder, Road(broker, [], settings, {}), self.url)
        self.api = self._all.api
        self.faults: list[str] = []

    @property
    def workers(self) -> Mapping[str, Hop]:
        """Trackers and tellers that there are now."""
        return self._all.all

    @property
    def trackers(self) -> list[str]:
        return [name for name, hop in self.workers.items() if hop.command == "track"]

    def start(self, geofences: Path) -> None:
        self.api.start()
        self.api.put_geofences(geofences)
        for name in TRACKERS:
            self.add(name)
        for name in TELLERS:
            self.add(name, "dispatch")

    def add(self, name: str, command: str = "track") -> None:
        self._all.add(name, command)

    def remove(self, name: str) -> None:
        """SIGTERM, which it must answer with 0."""
        status = self._all.all.pop(name).stop()
        if status != 0:
            self.faults.append(f"{name} ended with {status} after SIGTERM")

    def everything(self) -> Iterator[tuple[str, Program]]:
        yield from self.workers.items()
        yield from (("api", self.api), ("broker", self.broker))

    def restart_the_dead(self) -> None:
        """Nobody may end by itself, whatever happens around it; who did is a fault, and started again."""
        for name, program in self.everything():
            if program.process is not None and (status := program.process.poll()) is not None:
                last = program.log.strip().splitlines()[-1:]
                self.faults.append(f"{name} ended by itself with {status}: {' '.join(last)[-300:]}")
                print(f"FAILED {self.faults[-1]}", flush=True)
                program.kill()
                program.start()

    def memory(self) -> dict[tuple[str, int], int]:
        """Resident bytes by name and process id; of PostgreSQL what its processes do not share."""
        found: dict[tuple[str, int], int] = {}
        for name, program in self.everything():
            if program.process is not None and program.process.poll() is None:
                found[name, program.process.pid] = program.memory
        assert self.postgres.process is not None
        server = self.postgres.process.pid
        found["postgres", server] = sum(map(_private, [server, *_children(server)]))
        return found

    def row(self, statement: str) -> tuple[int, ...]:
        """One row of numbers from the database."""
        with self.connected() as connection:
            return tuple(map(int, connection.execute(statement.encode()).fetchone() or ()))

    def connected(self) -> psycopg.Connection:
        return session(self.url, autocommit=True, application_name="soak", connect_timeout=5)

    def end(self) -> None:
        """All but database and broker, in good order."""
        for name in list(self.workers):
            self.remove(name)
        self.api.stop()

    def kill(self) -> None:
        self._all.end()


def _private(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0  # it has ended since it was listed
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("RssAnon"))


def _children(pid: int) -> list[int]:
    listed = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(child) for child in listed.split()]
