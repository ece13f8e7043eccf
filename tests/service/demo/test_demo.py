"""`overfly demo` on real flights: what it shows, what can be tried meanwhile, and that nothing stays.

Most of it on the whole way, through the two accounts of the AWS stand-in, as `./run demo` starts it.
"""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sample_data.flights import FlightFiles
from service.demo.ports import free_port, why_not
from tests.stand_in import PROGRAM
from tests.waiting import wait_until

OVERFLY = Path(sys.executable).with_name("overfly")
LINE = re.compile(r"^\d\d:\d\d:\d\d  (ENTER|EXIT )  \S+ \([0-9a-f]{6}\) +(entered|left   ) \S.* [\d,]+ ft$")


class Demo:
    """A demo that runs in `folder`, with what it has written so far."""

    def __init__(self, folder: Path, *arguments: str | Path) -> None:
        self.folder = folder
        self.port, self.mqtt_port = free_port(), free_port()
        ports = ["--port", str(self.port), "--mqtt-port", str(self.mqtt_port)]
        self.process = subprocess.Popen(
            [OVERFLY, "demo", *arguments, "--folder", folder, *ports],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=os.environ | {"OVERFLY_NONSENSE": "1", "TZ": "UTC"},
            start_new_session=True,
        )
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def await_line(self, pattern: str, seconds: float = 60) -> str:
        """The first line that matches, waited for."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            for line in list(self.lines):
                if re.search(pattern, line):
                    return line
            if self.process.poll() is not None and not self._reader.is_alive():
                break
            time.sleep(0.05)
        raise AssertionError(f"no line like {pattern!r} in:\n" + "\n".join(self.lines))

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        """As a terminal does: the signal reaches the demo's process group."""
        os.killpg(self.process.pid, number)
        return self.wait()

    def wait(self) -> int:
        """Its exit status."""
        status = self.process.wait(30)
        self._reader.join(10)
        return status

    def leaves_nothing(self) -> bool:
        """Whether its processes end and its ports become free, within a few seconds."""
        deadline = time.monotonic() + 15
        while time.monotonic() < deadline:
            if not (why_not(self.port) or why_not(self.mqtt_port) or self.programs()):
                return True
            time.sleep(0.1)
        return False

    def programs(self) -> dict[str, list[int]]:
        """The ids of what runs for the demo, by the name of its log: they all run in its folder."""
        found: dict[str, list[int]] = {}
        for process in Path("/proc").glob("[0-9]*"):
            try:
                log = (process / "fd/1").readlink()
            except OSError:
                continue  # it has ended
            if log.parent == self.folder:
                found.setdefault(log.stem, []).append(int(process.name))
        return found

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))
        self.process.stdout.close()


def readme_commands(repository: Path) -> list[str]:
    """The shell blocks of "First things to try", in order."""
    readme = (repository / "README.md").read_text(encoding="utf-8")
    section = readme.split("## First things to try")[1].split("\n## ")[0]
    return re.findall(r"```sh\n(.*?)```", section, re.DOTALL)


@pytest.fixture(scope="module")
def demo(flights: FlightFiles, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    folder = tmp_path_factory.mktemp("demo") / "demo"
    real = ["--flights", flights.positions, "--geofences", flights.geofences, "--speed", "60"]
    running = Demo(folder, "--stand-in", PROGRAM, *real)
    yield running
    if running.process.poll() is None:
        running.process.kill()
        running.process.wait()


def test_demo_shows_real_aircraft_crossing_real_geofences(demo: Demo) -> None:
    assert LINE.match(demo.await_line("ENTER  TOM2XE")), demo.lines
    assert LINE.match(demo.await_line("EXIT ")), demo.lines
    assert "SWITZERLAND FIR" in demo.await_line("ENTER  TOM2XE")


def test_demo_says_what_it_starts_as_it_starts_it(demo: Demo) -> None:
    demo.await_line("Try in another terminal")
    said = "\n".join(demo.lines[:4])
    assert re.search(r"Starting .*\n  the stand-in.*\n  account B's queue.*\n  overfly serve", said), said


def test_demo_shows_the_counters_of_every_hop(demo: Demo) -> None:
    line = demo.await_line(r"^broker: [1-9].* \| EventBridge: [1-9]")
    counts = [re.match(r"([^:]+): ([\d,]+) (\w+)", part) for part in line.split(" | ")]
    assert [(match[1], match[3]) for match in counts if match] == [
        ("broker", "messages"),
        ("bridge", "messages"),
        ("SQS", "waiting"),
        ("republish", "positions"),
        ("broker", "messages"),
        ("tracker", "positions"),
        ("EventBridge", "events"),
        ("SNS", "messages"),
    ]
    assert "0 refused" in line


def test_demo_shows_the_mail_and_the_text_message_that_sns_would_send(demo: Demo) -> None:
    demo.await_line("The first mail, to dispatcher@example.com")
    demo.await_line(r"The first text message, to \+41790000000")
    assert sum("entered" in line and line.startswith("│") for line in demo.lines) == 2
    kept = [json.loads(line) for line in (demo.folder / "deliveries.ndjson").read_text().splitlines()]
    assert {delivery["protocol"] for delivery in kept} == {"email", "sms"}


def test_demo_writes_plain_lines_to_a_pipe(demo: Demo) -> None:
    assert not any("\x1b" in line for line in demo.lines)


def test_lines_of_the_readme_work_as_pasted(demo: Demo, repository: Path) -> None:
    answers = []
    for block in readme_commands(repository):
        block = block.replace("127.0.0.1:8080", f"127.0.0.1:{demo.port}")  # noqa: PLW2901 - our own ports
        block = block.replace("mosquitto_pub -p 1884", f"mosquitto_pub -p {demo.mqtt_port}")  # noqa: PLW2901
        done = subprocess.run(["sh", "-ec", block], capture_output=True, text=True, check=True)
        answers.append(
            json.JSONDecoder().raw_decode(done.stdout[done.stdout.rindex('{"items"') :])[0]["items"]
        )
    latest, drone, field, refused, alerts = answers
    assert len(latest) == 3
    assert [
        (event["eventType"], event["geofenceId"]) for event in drone if event["geofenceId"] == "LSZH"
    ] == [("ENTER", "LSZH")]
    assert [event["deviceId"] for event in field] == ["my-van"]
    assert [(reject["deviceId"], reject["reason"]) for reject in refused] == [("my-drone", "bad_timestamp")]
    assert alerts
    demo.await_line("ENTER  my-drone")


def test_lines_that_the_demo_itself_suggests_work_as_pasted(demo: Demo) -> None:
    demo.await_line("Try in another terminal")
    start = next(i for i, line in enumerate(demo.lines) if line.startswith("Try in another terminal"))
    commands = [line.strip() for line in demo.lines[start + 1 : start + 5]]
    for command in commands:
        subprocess.run(["sh", "-ec", command], capture_output=True, text=True, check=True)
    assert len(commands) == 4


def test_ctrl_c_stops_everything_and_leaves_nothing(demo: Demo) -> None:
    demo.await_line("Starting")  # from then on signals are heard
    assert demo.stop(signal.SIGINT) == 0
    assert "nothing is left running" in demo.lines[-1]
    assert demo.leaves_nothing()


def test_sigterm_stops_a_demo_of_simulated_flights(tmp_path: Path) -> None:
    demo = Demo(tmp_path / "demo", "--speed", "200")
    demo.await_line("ENTER ")
    demo.process.terminate()
    assert demo.wait() == 0
    assert demo.leaves_nothing()


def test_demo_without_a_stand_in_mails_by_itself(tmp_path: Path, flights: FlightFiles) -> None:
    demo = Demo(tmp_path / "demo", "--flights", flights.positions, "--geofences", flights.geofences)
    demo.await_line("The first mail, to dispatcher@example.com")
    demo.await_line("Subject: .*TOM2XE entered SWITZERLAND FIR")
    assert b"TOM2XE" in (demo.folder / "mail/0001.eml").read_bytes()
    demo.await_line(r"^tracker: [1-9].* \| geofences: [1-9].* \| mail: ")
    assert demo.stop() == 0
    assert demo.leaves_nothing()


@pytest.mark.parametrize("hop", ["serve", pytest.param("bridge", marks=pytest.mark.soak)])
def test_demo_one_of_whose_programs_dies_says_so_and_leaves_nothing(tmp_path: Path, hop: str) -> None:
    demo = Demo(tmp_path / "demo", "--stand-in", PROGRAM)
    demo.await_line("Try in another terminal")
    [program] = demo.programs()[hop]
    os.kill(program, signal.SIGKILL)
    assert demo.wait() == 1
    demo.await_line(f"overfly {hop} ended by itself")
    assert demo.leaves_nothing()


def test_demo_that_is_killed_leaves_nothing(tmp_path: Path) -> None:
    demo = Demo(tmp_path / "demo", "--stand-in", PROGRAM)
    demo.await_line("Try in another terminal")
    assert sorted(demo.programs()) == ["bridge", "republish", "serve", "stand-in"]
    demo.process.kill()
    demo.wait()
    assert demo.leaves_nothing()


def test_ctrl_c_while_it_starts_leaves_nothing(tmp_path: Path) -> None:
    demo = Demo(tmp_path / "demo", "--stand-in", PROGRAM)
    wait_until(demo.programs, 30)
    assert demo.stop() == 0
    assert "nothing is left running" in demo.lines[-1]
    assert demo.leaves_nothing()


@pytest.mark.parametrize("option", ["--port", "--mqtt-port"])
def test_port_in_use_is_said_with_what_to_do(demo: Demo, tmp_path: Path, option: str) -> None:
    taken = free_port()
    holder = subprocess.Popen([sys.executable, "-m", "http.server", "--bind", "127.0.0.1", str(taken)])
    try:
        deadline = time.monotonic() + 15
        while why_not(taken) is None and time.monotonic() < deadline:
            time.sleep(0.05)
        other = {"--port": "--mqtt-port", "--mqtt-port": "--port"}[option]
        command = [OVERFLY, "demo", "--folder", tmp_path, option, str(taken), other, str(free_port())]
        said = subprocess.run(command, capture_output=True, text=True, check=False)
    finally:
        holder.terminate()
        holder.wait()
    assert said.returncode == 2
    assert f"port {taken} is in use by another program: choose another, such as {option}" in said.stderr
