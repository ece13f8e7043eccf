"""A tracker's filtering of positions: what it stores, what it evaluates, and that neither depends on how the
positions come."""

import itertools
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from geofence.earth.ellipsoid import WGS84
from ingest.messages import Message
from service.crossing_rule import changed
from service.filtering.passing import ACCURACY_BASED, DISTANCE_BASED, FILTERINGS, TIME_BASED
from service.store.schema import device
from tests.service.workshop import Workshop, box, overlapping
from tests.stores import Store

SECOND = 1000
METRE = 1 / 111_319.490793  # degrees of longitude at the equator


@pytest.fixture
def workshop(store: Store) -> Workshop:
    return overlapping(store)


def filtering(workshop: Workshop, how: str | None) -> Workshop:
    workshop.catalog.update_tracker("default", position_filtering=how)
    return workshop


def times(workshop: Workshop) -> list[int]:
    """Of what is stored of device x, in milliseconds."""
    return [time for device, time, _, _ in workshop.positions() if device == "x"]


def latest(workshop: Workshop, device_id: str = "x") -> int:
    with workshop.database.read() as connection:
        where = select(device.c.sample_time).where(device.c.device_id == device_id)
        time: int = connection.execute(where).scalar_one()
    return time - workshop.began


def test_by_time_all_is_evaluated_and_one_in_thirty_seconds_stored(workshop: Workshop) -> None:
    filtering(workshop, TIME_BASED)
    workshop.ingest(
        workshop.fix("x", 0, -1),
        workshop.fix("x", 10 * SECOND, 1),
        workshop.fix("x", 29_999, -1),
        workshop.fix("x", 30 * SECOND, -1),
        workshop.fix("x", 59_999, 1),
    )

    assert times(workshop) == [0, 30_000]
    assert workshop.events() == [
        ("ENTER", "x", "A", 10_000),
        ("EXIT", "x", "A", 29_999),
        ("ENTER", "x", "A", 59_999),
    ]
    assert workshop.metrics.filtered._value.get() == 3
    assert latest(workshop) == 30_000


def test_by_distance_what_moved_less_than_thirty_metres_is_neither_stored_nor_evaluated(
    workshop: Workshop,
) -> None:
    filtering(workshop, DISTANCE_BASED)
    workshop.ingest(
        workshop.fix("x", 0, -20 * METRE),
        workshop.fix("x", 1, 9.9 * METRE),
        workshop.fix("x", 2, 10.1 * METRE),
        workshop.fix("x", 3, -19 * METRE),
    )

    assert times(workshop) == [0, 2]
    assert workshop.events() == [("ENTER", "x", "A", 2)]
    assert latest(workshop) == 2


def test_by_accuracy_what_moved_less_than_both_accuracies_together_is_neither_stored_nor_evaluated(
    workshop: Workshop,
) -> None:
    filtering(workshop, ACCURACY_BASED)
    workshop.ingest(
        workshop.fix("x", 0, 0, accuracy=5),
        workshop.fix("x", 1, 14.9 * METRE, accuracy=10),
        workshop.fix("x", 2, 15.1 * METRE, accuracy=10),
        workshop.fix("x", 3, 15.1 * METRE),
        workshop.fix("x", 4, 15.1 * METRE + 10.1 * METRE),
        workshop.fix("x", 5, 15.1 * METRE + 10.1 * METRE),
    )

    assert times(workshop) == [0, 2, 4, 5]  # without accuracy a position is exact


def test_each_device_is_compared_with_itself(workshop: Workshop) -> None:
    filtering(workshop, TIME_BASED)
    workshop.ingest(workshop.fix("x", 0, 1), workshop.fix("y", 10, 1), workshop.fix("x", 20, 1))
    workshop.ingest(workshop.fix("z", 15, 1), workshop.fix("y", 30_010, 1))

    assert [row[:2] for row in workshop.positions()] == [("x", 0), ("y", 10), ("y", 30_010), ("z", 15)]


@pytest.mark.parametrize("how", FILTERINGS)
def test_one_that_was_left_out_stays_so_when_it_comes_again(workshop: Workshop, how: str) -> None:
    filtering(workshop, how)
    left_out = workshop.fix("x", 5 * SECOND, 6 * METRE, accuracy=20)
    workshop.ingest(workshop.fix("x", 0, 0, accuracy=20), left_out)
    workshop.ingest(left_out)
    workshop.reopen()
    workshop.ingest(left_out)
    workshop.ingest(workshop.fix("x", 60 * SECOND, 1, accuracy=20))
    workshop.ingest(left_out)
    posted = workshop.tracker.post(left_out.payload, "default")

    assert (posted.accepted, posted.filtered, posted.late) == (0, 1, 0)
    assert times(workshop) == [0, 60_000]


@pytest.mark.parametrize("how", FILTERINGS)
def test_what_has_a_row_is_a_duplicate_when_it_comes_again(workshop: Workshop, how: str) -> None:
    filtering(workshop, how)
    stored = workshop.fix("x", 0, 0, accuracy=20)
    workshop.ingest(stored, workshop.fix("x", 5, 0, accuracy=20))
    workshop.ingest(stored)

    assert workshop.metrics.duplicates._value.get() == 1
    assert times(workshop) == [0]


def test_a_late_one_is_judged_by_what_was_evaluated_before_it(workshop: Workshop) -> None:
    filtering(workshop, DISTANCE_BASED)
    workshop.ingest(workshop.fix("x", 0, 0), workshop.fix("x", 5, 20 * METRE), workshop.fix("x", 9, 1))
    workshop.ingest(workshop.fix("x", 3, -40 * METRE), workshop.fix("x", 4, 10 * METRE))
    workshop.ingest(workshop.fix("x", 5, 20 * METRE))

    assert [row[1:] for row in workshop.positions()] == [(0, 2, False), (3, None, True), (9, 2, False)]


def test_by_time_a_late_one_is_stored_if_nothing_is_within_thirty_seconds_of_it(workshop: Workshop) -> None:
    filtering(workshop, TIME_BASED)
    workshop.ingest(workshop.fix("x", 0, 0), workshop.fix("x", 100 * SECOND, 0))
    late = [workshop.fix("x", each * SECOND, 0) for each in (29, 40, 50, 70, 71, 99)]
    workshop.ingest(*late)
    workshop.ingest(*late)

    assert times(workshop) == [0, 40_000, 70_000, 100_000]


def test_what_is_left_out_ends_its_turn_for_what_was_measured_before_it(workshop: Workshop) -> None:
    filtering(workshop, DISTANCE_BASED)
    workshop.ingest(workshop.fix("x", 0, 20), workshop.fix("x", 5, 20))
    workshop.ingest(workshop.fix("x", 3, 1))

    assert workshop.events() == []
    assert workshop.positions() == [("x", 0, 2, False), ("x", 3, None, True)]


@pytest.mark.parametrize("how", FILTERINGS)
def test_what_waits_is_taken_away_at_its_turn_and_the_latest_moves_back(workshop: Workshop, how: str) -> None:
    filtering(workshop, how)
    for time in (20 * SECOND, 0, 10 * SECOND):
        workshop.tracker.post(workshop.fix("x", time, 20, accuracy=9).payload, "default")
    assert (times(workshop), latest(workshop)) == ([0, 10_000, 20_000], 20_000)

    workshop.tracker.evaluate_due()
    assert (times(workshop), latest(workshop)) == ([0], 0)
    assert workshop.metrics.filtered._value.get() == 2
    workshop.ingest(workshop.fix("x", 60 * SECOND, 7), workshop.fix("x", 61 * SECOND, 7, accuracy=9))
    assert (times(workshop), latest(workshop)) == ([0, 60_000], 60_000)


@pytest.mark.parametrize("how", FILTERINGS)
def test_paths_begin_at_what_was_evaluated_last_also_after_a_restart(store: Store, how: str) -> None:
    workshop = filtering(overlapping(store), how)
    workshop.catalog.update_collection("default", lambda rule: changed(rule, "segment", 300, 1e6))
    fixes = [
        workshop.fix("x", 0, -0.5, altitude=10, accuracy=1),
        workshop.fix("x", SECOND, -0.5 + 20 * METRE, altitude=11, accuracy=40),
        workshop.fix("x", 200 * SECOND, 0.5, altitude=12, accuracy=1),
    ]
    workshop.ingest(*fixes[:2])
    workshop.reopen()
    workshop.ingest(fixes[2])

    start = -0.5 + (20 * METRE if how == TIME_BASED else 0)
    share = (0 - start) / (0.5 - start)
    since = SECOND if how == TIME_BASED else 0
    (event,) = workshop.events()
    assert event[:3] == ("ENTER", "x", "A")
    assert event[3] == pytest.approx(since + share * (200_000 - since), abs=20)


class Sent(NamedTuple):
    """A fix of a device, each (device, time) once: milliseconds, metres east of the corner, metres."""

    device: str
    time: int
    east: int
    accuracy: int | None

    def message(self, workshop: Workshop) -> Message:
        more: dict[str, Any] = {} if self.accuracy is None else {"accuracy": self.accuracy}
        return workshop.fix(self.device, self.time, self.east * METRE, **more)


def passed(how: str, sent: list[Sent]) -> tuple[list[Sent], list[Sent]]:
    """What is stored, and what is evaluated: one after the other, as the documentation has it."""
    stored: list[Sent] = []
    evaluated: list[Sent] = []
    last: dict[str, Sent] = {}
    for each in sorted(sent):
        before = last.get(each.device)
        passes = True
        if before is not None:
            moved = WGS84.inv(before.east * METRE, 0, each.east * METRE, 0)[2]
            accuracies = (before.accuracy or 0) + (each.accuracy or 0)
            needed = {TIME_BASED: (each.time - before.time, 30_000), DISTANCE_BASED: (moved, 30)}
            is_now, at_least = needed.get(how, (moved, accuracies))
            passes = is_now >= at_least
        if passes:
            stored.append(each)
            last[each.device] = each
        if passes or how == TIME_BASED:
            evaluated.append(each)
    return stored, evaluated


SENT = st.lists(
    st.builds(
        Sent,
        st.sampled_from("xy"),
        st.integers(0, 60).map(lambda second: second * 4 * SECOND),
        st.integers(-80, 80),
        st.sampled_from([None, 0, 5, 20, 60]),
    ),
    min_size=1,
    max_size=25,
    unique_by=lambda each: (each.device, each.time),
)


class Way(NamedTuple):
    """How positions come: `order` sorts them, `cuts` ends batches, `again` are sent twice, in each batch of
    `restarts` the process starts anew, `posted` come by HTTP."""

    order: list[float]
    cuts: list[int]
    again: list[int]
    restarts: set[int]
    posted: set[int]


WAYS = st.builds(
    Way,
    st.lists(st.floats(0, 1), min_size=25, max_size=25),
    st.lists(st.integers(1, 24), max_size=5).map(sorted),
    st.lists(st.integers(0, 24), max_size=4),
    st.sets(st.integers(0, 5), max_size=2),
    st.sets(st.integers(0, 5), max_size=2),
)


def deliver(workshop: Workshop, sent: list[Sent], way: Way) -> None:
    coming = sent + [sent[index] for index in way.again if index < len(sent)]
    edges = itertools.pairwise([0, *way.cuts, len(coming)])
    for number, (start, end) in enumerate(edges):
        messages = [each.message(workshop) for each in coming[start:end]]
        if number in way.restarts:
            workshop.reopen()
        if number in way.posted:
            for each in messages:
                workshop.tracker.post(each.payload, "default")
        workshop.ingest(*messages)


QUICK = settings(deadline=None, suppress_health_check=list(HealthCheck), max_examples=10)


ANY = given(sent=SENT, way=WAYS, how=st.sampled_from(FILTERINGS), window=st.sampled_from([0, 20]))


@QUICK
@ANY
def test_any_split_and_shuffle_stores_and_tells_what_the_sorted_stream_does(
    new_store: Callable[[], Store], sent: list[Sent], way: Way, how: str, window: float
) -> None:
    _check(new_store, sent, way, how, window)


@pytest.mark.soak
@settings(QUICK, max_examples=200)
@ANY
def test_many_splits_and_shuffles_store_and_tell_what_the_sorted_stream_does(
    new_store: Callable[[], Store], sent: list[Sent], way: Way, how: str, window: float
) -> None:
    _check(new_store, sent, way, how, window)


def _check(new_store: Callable[[], Store], sent: list[Sent], way: Way, how: str, window: float) -> None:
    fences = [box("A", 0, 30 * METRE), box("B", -20 * METRE, 50 * METRE)]
    workshop = Workshop(new_store(), window)
    workshop.catalog.put("default", fences)
    filtering(workshop, how)
    in_order = sorted(sent, key=lambda each: each.time)
    if window:
        in_order = [each for _, each in sorted(zip(way.order, sent, strict=False))]
    deliver(workshop, in_order, way)
    workshop.seconds += 60
    workshop.tracker.evaluate_due()
    deliver(workshop, in_order, way)
    workshop.seconds += 60
    workshop.tracker.evaluate_due()

    stored, evaluated = passed(how, sent)
    assert [row[:2] for row in workshop.positions()] == [(each.device, each.time) for each in stored]
    plain = Workshop(new_store())
    plain.catalog.put("default", fences)
    plain.began = workshop.began
    plain.ingest(*(each.message(plain) for each in evaluated))
    assert sorted(workshop.event_ids()) == sorted(plain.event_ids())
    for device_id in {each.device for each in stored}:
        assert latest(workshop, device_id) == max(each.time for each in stored if each.device == device_id)
    workshop.database.close()
    plain.database.close()
