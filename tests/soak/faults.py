"""Faults of the soak: what is done, and to whom, is drawn from a seed."""

import random
import re
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from tests.programs import Program
from tests.soak.plant import SPARED, Plant
from tests.trackers import LEASE_SECONDS

Fault = Callable[[Plant, random.Random], str]
MOST_TRACKERS = 5


def kill(plant: Plant, choice: random.Random) -> str:
    """SIGKILL, and dead for up to some leases."""
    name, program = choice.choice([each for each in _ours(plant) if each[0] not in SPARED])
    seconds = choice.uniform(0.0, 2 * LEASE_SECONDS)
    program.kill()
    time.sleep(seconds)  # how long it is dead is what is tried
    program.start()
    return f"{name} killed, dead for {seconds:.1f} s"


def pause(plant: Plant, choice: random.Random) -> str:
    """SIGSTOP past a lease: others take over what it has, and it wakes."""
    name, program = choice.choice(_ours(plant))
    seconds = choice.uniform(1.2 * LEASE_SECONDS, 4 * LEASE_SECONDS)
    program.pause()
    time.sleep(seconds)  # how long it stands still is what is tried
    program.resume()
    return f"{name} paused for {seconds:.1f} s"


def cut(plant: Plant, choice: random.Random) -> str:
    """All connections of one process to the database end."""
    name, program = choice.choice(_ours(plant))
    assert program.process is not None
    ports = _local_ports(program.process.pid)
    statement = (
        "SELECT count(*) FILTER (WHERE pg_terminate_backend(pid)) FROM pg_stat_activity"
        " WHERE client_port = ANY(%s)"
    )
    with plant.connected() as connection:
        (ended,) = connection.execute(statement, [ports]).fetchone() or (0,)
    return f"{name} cut, {ended} connections"


def restart_broker(plant: Plant, choice: random.Random) -> str:
    return f"broker restarted, {_away(plant.broker.stop, plant.broker.start, choice)}"


def restart_database(plant: Plant, choice: random.Random) -> str:
    return f"database restarted (fast), {_away(plant.postgres.stop, plant.postgres.start, choice)}"


def crash_database(plant: Plant, choice: random.Random) -> str:
    return f"database crashed (immediate), {_away(plant.postgres.kill, plant.postgres.start, choice)}"


def come_or_go(plant: Plant, choice: random.Random) -> str:
    """One tracker more or less."""
    guests = [name for name in plant.trackers if int(name.rpartition("-")[2]) > 3]
    if guests and (len(plant.trackers) == MOST_TRACKERS or choice.random() < 0.5):
        name = choice.choice(guests)
        plant.remove(name)
        return f"{name} went"
    name = next(f"tracker-{n}" for n in range(4, MOST_TRACKERS + 1) if f"tracker-{n}" not in guests)
    plant.add(name)
    return f"{name} came"


FAULTS: Mapping[Fault, int] = {
    kill: 5,
    pause: 4,
    cut: 3,
    restart_broker: 2,
    restart_database: 1,
    crash_database: 1,
    come_or_go: 3,
}
"""How often each is drawn, relative to the others."""


def fault(plant: Plant, choice: random.Random) -> tuple[str, str]:
    """Does one; answers its kind and what it was, when it is over."""
    (chosen,) = choice.choices(list(FAULTS), list(FAULTS.values()))
    return chosen.__name__.replace("_", " "), chosen(plant, choice)


def _ours(plant: Plant) -> list[tuple[str, Program]]:
    return [each for each in plant.everything() if each[0] != "broker"]


def _away(stop: Callable[[], object], start: Callable[[], object], choice: random.Random) -> str:
    seconds = choice.uniform(0.0, 2 * LEASE_SECONDS)
    stop()
    time.sleep(seconds)  # how long it is away is what is tried
    start()
    return f"away for {seconds:.1f} s"


def _local_ports(pid: int) -> list[int]:
    """Of the TCP sockets of a process (proc(5): fd/, net/tcp)."""
    inodes = set()
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        try:
            found = re.fullmatch(r"socket:\[(\d+)\]", str(descriptor.readlink()))
        except FileNotFoundError:
            continue  # closed since it was listed
        if found:
            inodes.add(found[1])
    rows = (line.split() for line in Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:])
    return [int(row[1].rpartition(":")[2], 16) for row in rows if row[9] in inodes]
