"""`overfly track` and `overfly serve` reading a queue: processes of their own, at the stand-in."""

import json
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from ingest.envelope import packed, unpacked
from service.bootstrap import start_faults
from service.settings import Settings
from service.store.sqlite import DATABASE_FILE
from tests.hops import Hop
from tests.queue_proxy import Disorder, QueueProxy
from tests.queues import Queue, parted
from tests.service.workshop import Workshop, box
from tests.services import Overfly
from tests.stand_in import StandIn
from tests.stores import SqliteStore
from tests.waiting import wait_until

PERIOD = 7  # fixes for which a device stays on one side of the geofence


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    with StandIn(tmp_path_factory.mktemp("aws")) as stand_in:
        yield stand_in


def fixes(devices: int, each: int) -> list[str]:
    """Lines of an envelope, in order of time: devices that go in and out of geofence A."""
    began = int(time.time() * 1000) - 600_000
    return [
        packed(
            f"aircraft/d{device}/position",
            json.dumps(
                {
                    "timestamp": began + 100 * step + device % 100,
                    "longitude": 5 if (step // PERIOD) % 2 else 20,
                    "latitude": 0,
                }
            ).encode(),
        ).decode()
        for step in range(each)
        for device in range(devices)
    ]


def prepared(folder: Path) -> Workshop:
    """A database with geofence A, which nobody has open."""
    workshop = Workshop(SqliteStore.made(folder))
    workshop.catalog.put("default", [box("A", 0, 10)])
    workshop.database.close()
    return workshop


def expected(folder: Path, lines: list[str]) -> set[str]:
    """The ids of the events that the lines give in this order."""
    workshop = prepared(folder)
    workshop.open()
    workshop.ingest(*(message for line in lines for message in unpacked(line)))
    ids = workshop.event_ids()
    workshop.database.close()
    assert len(ids) > 1
    return set(ids)


def tracker(folder: Path, aws: StandIn, queue: Queue, endpoint: str | None = None, **settings: str) -> Hop:
    """`overfly track` of the queue, on the data in `folder`."""
    through = {} if endpoint is None else {"AWS_ENDPOINT_URL_SQS": endpoint}
    ours = {"QUEUE_URL": queue.url, "DATA_DIR": str(folder / "data"), **settings}
    return Hop("track", folder, ours, {**aws.environment(), **through})


def stored(workshop: Workshop) -> tuple[int, list[str], int]:
    """How many fixes are stored, the ids of the events, and how many fixes came too late."""
    workshop.open()
    positions, ids = workshop.positions(), workshop.event_ids()
    workshop.database.close()
    return len(positions), ids, sum(late for *_, late in positions)


@pytest.mark.parametrize(
    "fifo", [True, pytest.param(False, marks=pytest.mark.soak)], ids=["FIFO", "standard"]
)
def test_what_is_sent_becomes_rows_and_events_each_once_though_the_tracker_is_killed_in_the_middle(
    tmp_path: Path, aws: StandIn, fifo: bool
) -> None:
    """The window of the standard queue is above the visibility timeout, as the doctor asks."""
    lines, workshop = fixes(50, 60), prepared(tmp_path / "data")
    queue = Queue.make(aws, fifo=fifo, visibility=2)
    third = len(lines) // 3
    track = tracker(tmp_path, aws, queue, REORDER_SECONDS="0" if fifo else "3")
    for start in (0, third):
        queue.send(parted(lines[start : start + third], 20))
        track.start()
        wait_until(lambda: track.metric("overfly_positions_total") > 0, 60)
        track.kill()
    queue.send(parted(lines[2 * third :], 20))
    with track:
        wait_until(lambda: queue.empty, 30)
        wait_until(lambda: not waiting(tmp_path / "data"), 30)
        assert track.metric("overfly_source_connected") == 1
        began = time.monotonic()
        assert track.stop() == 0
        assert time.monotonic() - began < 10

    count, ids, late = stored(workshop)
    assert (count, len(ids), late) == (len(lines), len(set(ids)), 0)
    assert set(ids) == expected(tmp_path / "other", lines)
    assert "source.subscribed" in track.log
    assert queue.url in track.log
    assert aws.environment()["AWS_SECRET_ACCESS_KEY"] not in track.log


def waiting(data: Path) -> int:
    """Fixes that wait for their window."""
    with closing(sqlite3.connect(f"file:{data / DATABASE_FILE}?mode=ro", uri=True)) as database:
        found = database.execute("SELECT count(*) FROM position WHERE revision IS NULL AND NOT late")
        return int(found.fetchone()[0])


def test_while_the_database_is_locked_nothing_comes_twice_and_memory_is_bounded(
    tmp_path: Path, aws: StandIn
) -> None:
    """One that came twice would be found among the dead letters."""
    prepared(tmp_path / "data")
    dead = Queue.make(aws, fifo=False)
    policy = json.dumps({"deadLetterTargetArn": dead.arn, "maxReceiveCount": 1})
    queue = Queue.make(aws, fifo=False, visibility=4, RedrivePolicy=policy)
    note = "x" * 8000
    began = int(time.time() * 1000) - 600_000
    with tracker(tmp_path, aws, queue) as track:
        wait_until(lambda: track.metric("overfly_source_connected") == 1, 60)
        before = track.memory
        lock = sqlite3.connect(tmp_path / "data" / DATABASE_FILE, isolation_level=None)
        lock.execute("BEGIN IMMEDIATE")
        for body in range(60):
            queue.send(
                [
                    "\n".join(
                        json.dumps(
                            {
                                "deviceId": f"d{body}",
                                "timestamp": began + number,
                                "latitude": 0,
                                "longitude": 5,
                                "note": note,
                            }
                        )
                        for number in range(60)
                    )
                ]
            )
        wait_until(lambda: track.metric("overfly_source_oldest_held_seconds") > 9, 30)
        assert 0 < queue.hidden < 60
        assert track.memory - before < 120 << 20
        lock.execute("ROLLBACK")
        lock.close()
        wait_until(lambda: track.metric("overfly_positions_total") == 3600, 30)
        wait_until(lambda: queue.empty, 60)
        assert dead.empty


def test_a_standard_queue_that_shuffles_within_the_window_gives_the_events_of_the_sorted_stream(
    tmp_path: Path, aws: StandIn
) -> None:
    lines, queue = fixes(10, 60), Queue.make(aws, fifo=False, visibility=20)
    workshop = prepared(tmp_path / "data")
    with (
        QueueProxy(aws.endpoint, Disorder(window=1.5, redelivered=0.2)) as proxy,
        tracker(tmp_path, aws, queue, proxy.url, REORDER_SECONDS="3") as track,
    ):
        queue.send(parted(lines, 4))
        wait_until(lambda: track.metric("overfly_positions_total") == len(lines), 60)
        wait_until(lambda: not waiting(tmp_path / "data"), 60)
        assert proxy.delayed > 20
        track.stop()

    count, ids, late = stored(workshop)
    assert (count, late, set(ids)) == (len(lines), 0, expected(tmp_path / "other", lines))


def test_the_clock_of_the_window_stands_while_a_backlog_is_read_and_runs_at_the_live_edge(
    tmp_path: Path, aws: StandIn
) -> None:
    """The backlog, sent backwards, takes longer to read than the window."""
    window, lines, queue = 0.1, fixes(2, 700), Queue.make(aws, fifo=False)
    workshop = prepared(tmp_path / "data")
    queue.send(reversed(lines))
    time.sleep(2.5)  # until it is older than what counts as just sent
    with tracker(tmp_path, aws, queue, REORDER_SECONDS=str(window)) as track:
        wait_until(lambda: track.metric("overfly_positions_total") > 0, 60)
        began = time.monotonic()
        wait_until(lambda: track.metric("overfly_positions_total") == len(lines), 30)
        assert time.monotonic() - began > window
        wait_until(lambda: not waiting(tmp_path / "data"), 60)
        fix = {"deviceId": "new", "timestamp": time.time(), "latitude": 0, "longitude": 5}
        events = track.metric("overfly_events_total")
        queue.send([json.dumps(fix)])
        wait_until(lambda: track.metric("overfly_events_total") == events + 1, 60)
        track.stop()

    _, ids, late = stored(workshop)
    assert late == 0
    assert expected(tmp_path / "other", lines) < set(ids)


def test_serve_reads_a_queue_and_shows_what_cannot_be_taken_apart(tmp_path: Path, aws: StandIn) -> None:
    queue, fix = Queue.make(aws), {"timestamp": time.time(), "latitude": 0, "longitude": 5}
    queue.send(
        [
            json.dumps({"deviceId": "raw", **fix}),  # as an IoT rule writes it
            packed("aircraft/ours/position", json.dumps(fix).encode()),
            "<xml/>",
        ]
    )
    with Overfly(tmp_path, {"QUEUE_URL": queue.url}, aws.environment()) as overfly:
        wait_until(lambda: len(list(overfly.items("/v1/rejects"))) == 1, 60)
        (reject,) = overfly.items("/v1/rejects")
        wait_until(lambda: queue.empty, 60)
        devices = {each["id"] for each in overfly.items("/v1/devices")}
        ready = httpx.get(f"{overfly.url}/v1/ready").json()["dependencies"]["source"]

    assert (reject["reason"], reject["topic"], reject["payload"]) == ("bad_json", None, "<xml/>")
    assert devices == {"raw", "ours"}
    assert (ready["ok"], ready["required"]) == (True, True)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        (
            {"track_from": "mqtt", "queue_url": "https://sqs.eu-central-1.amazonaws.com/222222222222/q"},
            "OVERFLY_TRACK_FROM=mqtt needs a broker: set OVERFLY_MQTT_URL too",
        ),
        (
            {"track_from": "queue", "mqtt_url": "mqtt://localhost"},
            "OVERFLY_TRACK_FROM=queue needs a queue: set OVERFLY_QUEUE_URL too",
        ),
        ({"queue_url": "sqs://q"}, "OVERFLY_QUEUE_URL is no queue's URL"),
        ({"queue_url": "https://me:secret@sqs.eu-central-1.amazonaws.com/222222222222/q"}, "without a user"),
        (
            {
                "queue_url": "https://sqs.eu-central-1.amazonaws.com/222222222222/q",
                "queue_external_id": "secret",
            },
            "OVERFLY_QUEUE_EXTERNAL_ID needs a role: set OVERFLY_QUEUE_ROLE_ARN too",
        ),
    ],
)
def test_what_cannot_be_read_from_is_said_before_anything_starts(
    settings: dict[str, str], sentence: str
) -> None:
    (fault,) = start_faults(Settings(**settings))

    assert sentence in fault
    assert "secret" not in fault


def test_track_with_nothing_to_read_says_what_to_set(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", "from service.cli import main; main()", "track"],
        cwd=tmp_path,
        env={"PATH": "/usr/bin", "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 2
    assert "set OVERFLY_MQTT_URL for a broker, or OVERFLY_QUEUE_URL" in ended.stderr
