"""The real flights through two accounts: source broker, bridge, SQS, republisher, second broker, tracker,
EventBridge, SNS, a queue that is subscribed there. Exactly the expected events, whatever dies on the way.

The stand-in is no AWS: what is shown here is our side of each hop.
"""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.exact_flights import Flown, assert_exact, replay, stored_rows
from tests.queue_proxy import Disorder, QueueProxy
from tests.stand_in import DESTINATION, StandIn
from tests.waiting import wait_until
from tests.way import VISIBILITY_SECONDS, Way, whole_way

PATIENCE = 240
pytestmark = pytest.mark.timeout(600)


@pytest.fixture
def aws(tmp_path: Path) -> Iterator[StandIn]:
    with StandIn(tmp_path / "stand_in") as started:
        yield started


def assert_told_exactly(way: Way, flown: Flown) -> None:
    """What is stored is exact; the receiver at the end has heard of just that; nothing was given up."""
    wait_until(
        lambda: stored_rows(way.overfly) == flown.count,
        PATIENCE,
        lambda: f"{stored_rows(way.overfly):,} positions stored",
    )
    wait_until(
        lambda: len(way.receiver.times_seen) >= len(flown.event_ids),
        PATIENCE,
        lambda: f"{len(way.receiver.times_seen):,} events received",
    )
    assert_exact(way.overfly, flown)
    assert set(way.receiver.times_seen) == flown.event_ids
    wait_until(  # what was stored by a tracker killed before it could delete comes once more
        lambda: waiting(way.aws, way.cloud.queue_url) == 0,
        PATIENCE,
        lambda: f"{waiting(way.aws, way.cloud.queue_url):,} messages in the queue",
    )
    assert waiting(way.aws, way.cloud.dead_letter_queue_url) == 0


def waiting(aws: StandIn, queue_url: str) -> int:
    """Messages in a queue, those that somebody works on among them."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    found = aws.client("sqs", DESTINATION).get_queue_attributes(QueueUrl=queue_url, AttributeNames=names)
    return sum(int(count) for count in found["Attributes"].values())


@pytest.mark.parametrize(
    "flown", ["morning", pytest.param("whole_day", marks=pytest.mark.soak)], indirect=True
)
def test_a_fifo_queue_gives_exactly_the_expected_events_each_told_once(
    tmp_path: Path, flown: Flown, aws: StandIn
) -> None:
    with whole_way(tmp_path, aws, fifo=True) as way:
        way.overfly.put_geofences(flown.geofences)
        publisher = replay(flown, way.source)
        assert publisher.wait(PATIENCE) == 0

        assert_told_exactly(way, flown)

        assert set(way.receiver.times_seen.values()) == {1}
        for hop in (way.bridge, way.republisher):
            asked = time.monotonic()
            assert hop.stop() == 0
            assert time.monotonic() - asked < 10


@pytest.mark.parametrize(
    ("flown", "fifo", "reorder_seconds"),
    [
        pytest.param("morning", True, 0, id="fifo"),
        pytest.param("whole_day", True, 0, id="fifo-whole_day", marks=pytest.mark.soak),
        pytest.param("whole_day", False, VISIBILITY_SECONDS + 10, id="standard", marks=pytest.mark.soak),
    ],
    indirect=["flown"],
)
def test_kills_of_each_hop_and_stops_of_both_brokers_lose_and_invent_nothing(
    tmp_path: Path, flown: Flown, aws: StandIn, fifo: bool, reorder_seconds: float
) -> None:
    with (
        QueueProxy(aws.endpoint, Disorder(window=4, delayed=0.5, redelivered=0.2)) as proxy,
        whole_way(tmp_path, aws, fifo=fifo, reorder_seconds=reorder_seconds, queue_endpoint=proxy.url) as way,
    ):
        way.overfly.put_geofences(flown.geofences)
        publisher = replay(flown, way.source)
        for part, hurt in enumerate(
            (
                lambda: (way.bridge.kill(), way.bridge.start()),
                lambda: (way.republisher.kill(), way.republisher.start()),
                lambda: (way.overfly.kill(), way.overfly.start()),
                way.source.restart,
                way.destination.restart,
                lambda: (
                    way.bridge.kill(),
                    way.republisher.kill(),
                    way.bridge.start(),
                    way.republisher.start(),
                ),
            ),
            start=1,
        ):
            wait_until(lambda some=part * flown.count // 8: stored_rows(way.overfly) >= some, PATIENCE)
            hurt()
        _, said = publisher.communicate(timeout=PATIENCE)
        assert publisher.returncode == 0, said

        assert_told_exactly(way, flown)


@pytest.mark.parametrize(
    "flown", ["morning", pytest.param("whole_day", marks=pytest.mark.soak)], indirect=True
)
def test_a_standard_queue_that_shuffles_and_redelivers_within_the_window_gives_the_same_events(
    tmp_path: Path, flown: Flown, aws: StandIn
) -> None:
    disorder = Disorder(window=4, delayed=0.5, redelivered=0.2)
    with (
        QueueProxy(aws.endpoint, disorder) as proxy,
        whole_way(tmp_path, aws, fifo=False, reorder_seconds=10, queue_endpoint=proxy.url) as way,
    ):
        way.overfly.put_geofences(flown.geofences)
        publisher = replay(flown, way.source)
        assert publisher.wait(PATIENCE) == 0

        assert_told_exactly(way, flown)

        assert proxy.delayed > 100
        assert proxy.redelivered > 30
        assert way.overfly.metric("overfly_positions_duplicate_total") > 0
        assert way.overfly.metric("overfly_positions_late_total") == 0


@pytest.mark.soak
@pytest.mark.parametrize(("refusing", "gone"), [pytest.param(12, 20, id="short"), (60, 120)])
def test_a_queue_that_refuses_and_a_broker_that_is_gone_cost_nothing_but_time(
    tmp_path: Path, whole_day: Flown, aws: StandIn, refusing: float, gone: float
) -> None:
    """For so many seconds. And what waits is seen: at the bridge, or in the queue."""
    with (
        QueueProxy(aws.endpoint) as proxy,
        whole_way(tmp_path, aws, fifo=True, queue_endpoint=proxy.url) as way,
    ):
        way.overfly.put_geofences(whole_day.geofences)
        publisher = replay(whole_day, way.source)
        wait_until(lambda: stored_rows(way.overfly) >= 30_000, PATIENCE)
        way.destination.stop()
        gone_at = time.monotonic()
        wait_until(lambda: waiting(aws, way.cloud.queue_url) > 64, PATIENCE)
        for fault in ("throttled", "failing", "denied"):  # three times two, a sixth of the time each
            with proxy.refusing(fault):
                time.sleep(refusing / 6)  # how long it refuses is what is tried
                assert way.bridge.metric("overfly_bridge_waiting") > 0
            with proxy.refusing(fault, share=0.5):
                time.sleep(refusing / 6)  # as above
        wait_until(lambda: way.republisher.metric("overfly_republish_queue_depth") > 64, 60)
        assert way.republisher.metric("overfly_republish_connected") == 0
        assert waiting(aws, way.cloud.dead_letter_queue_url) == 0
        time.sleep(max(0.0, gone_at + gone - time.monotonic()))  # the rest of the broker's absence
        way.destination.start()
        _, said = publisher.communicate(timeout=PATIENCE)
        assert publisher.returncode == 0, said

        assert_told_exactly(way, whole_day)
