"""Real flights, one message each, over a real Mosquitto into `overfly serve`: exactly the expected events."""

import gzip
import random
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from tests.brokers import Mosquitto
from tests.exact_flights import (
    Flown,
    assert_exact,
    found_offline,
    replay,
    stored_rows,
    visited,
    without_names,
)
from tests.mailboxes import Mailbox
from tests.services import Overfly
from tests.waiting import wait_until

KILLED_AFTER = (0, 0.11, 0.29, 0.5, 0.72)
"""Of the positions, the share that is stored when serve is killed."""


@pytest.fixture
def started() -> Iterator[list[Overfly]]:
    """Services that are stopped at the end of the test, however it ends."""
    running: list[Overfly] = []
    yield running
    for each in running:
        each.kill()


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path / "broker") as started:
        yield started


@pytest.mark.parametrize(
    ("flown", "database"),
    [
        ("morning", "sqlite"),
        ("morning", "postgres"),
        pytest.param("whole_day", "sqlite", marks=pytest.mark.soak),
        pytest.param("whole_day", "postgres", marks=pytest.mark.soak),
    ],
    indirect=True,
)
def test_the_flights_give_exactly_the_expected_events_though_serve_is_killed_on_the_way(
    tmp_path: Path,
    database: dict[str, str],
    flown: Flown,
    broker: Mosquitto,
    started: list[Overfly],
) -> None:
    with Mailbox() as mailbox:
        overfly = Overfly(
            tmp_path / "overfly",
            {
                **database,
                "MQTT_URL": broker.url,
                "SMTP_URL": mailbox.url,
                "ALERT_EMAIL": "dispatcher@example.org",
                "ALERT_INTERVAL": "1",
            },
        ).start()
        started.append(overfly)
        overfly.put_geofences(flown.geofences)
        publisher = replay(flown, broker)
        for share in KILLED_AFTER:
            wait_until(lambda share=share: stored_rows(overfly) > share * flown.count, 60)
            overfly.kill()
            overfly.start()
        _, said = publisher.communicate(timeout=240)
        assert publisher.returncode == 0, said
        wait_until(lambda: stored_rows(overfly) == flown.count, 120, lambda: f"{stored_rows(overfly)} stored")
        assert_exact(overfly, flown)

        wait_until(
            lambda: set(mailbox.event_ids()) == flown.event_ids,
            60,
            lambda: f"{len(mailbox.event_ids())} told",
        )
        told = mailbox.event_ids()
        assert all(len(message_ids) == 1 for message_ids in told.values())
        alerts = list(overfly.items("/v1/alerts"))
        wait_until(lambda: all(each["status"] == "sent" for each in overfly.items("/v1/alerts")), 30)
        assert {each["messageId"] for each in alerts} == {mail["Message-ID"] for mail in mailbox.mails}
        assert sum(each["eventCount"] for each in alerts) == len(flown.event_ids)
        asked = time.monotonic()
        assert overfly.stop() == 0
        assert time.monotonic() - asked < 10


@pytest.mark.soak
@pytest.mark.parametrize("database", ["sqlite", "postgres"], indirect=True)
def test_shuffled_flights_in_a_reorder_window_give_the_same_events_over_kills(
    tmp_path: Path,
    database: dict[str, str],
    morning: Flown,
    broker: Mosquitto,
    started: list[Overfly],
) -> None:
    """Fixes up to 400 places out of order; killed twice in the middle of the window.

    A second collection has the same geofences, crossed by segments, and asks for DWELL and hysteresis.
    """
    shuffler = random.Random(20180801)  # noqa: S311 - shuffles, guards nothing
    with gzip.open(morning.positions) as lines:
        places = sorted((place + shuffler.uniform(0, 400), line) for place, line in enumerate(lines))
    shuffled = tmp_path / "shuffled.ndjson"
    shuffled.write_bytes(b"".join(line for _, line in places))
    overfly = Overfly(
        tmp_path / "overfly", {**database, "MQTT_URL": broker.url, "REORDER_SECONDS": "8"}
    ).start()
    started.append(overfly)
    overfly.put_geofences(morning.geofences)
    new = {"collectionName": "visited", "crossing": "segment"}
    httpx.post(f"{overfly.url}/v1/collections", json=new, timeout=30).raise_for_status()
    httpx.put(f"{overfly.url}/v1/trackers/default/collections/visited", timeout=30).raise_for_status()
    visits = visited(morning.geofences, tmp_path)
    overfly.put_geofences(visits, "visited")
    flown = replace(morning, positions=shuffled)
    publisher = replay(flown, broker)
    for third in (1, 2):
        wait_until(lambda third=third: stored_rows(overfly) > third * flown.count // 3, 90)
        overfly.kill()
        overfly.start()
    _, said = publisher.communicate(timeout=240)
    assert publisher.returncode == 0, said
    expected = found_offline(visits, morning.positions, "--crossing", "segment")
    wait_until(
        lambda: len(list(overfly.items("/v1/events"))) >= len(flown.event_ids) + expected.total(),
        120,
        lambda: f"{len(list(overfly.items('/v1/events')))} events, {stored_rows(overfly)} rows",
    )
    assert_exact(overfly, flown)
    found = Counter(map(without_names, overfly.items("/v1/events", collection="visited")))
    assert found == expected
    assert sum(count for event, count in found.items() if '"DWELL"' in event) > 100
    assert overfly.metric("overfly_positions_late_total") == 0
    assert overfly.stop() == 0
