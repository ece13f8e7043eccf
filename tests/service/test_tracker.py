"""The tracker's promises, on a real database."""

import json
import threading
import time
from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, select, text

from ingest.messages import Message
from service.errors import NotFound
from service.evaluator import DEVICES_AT_ONCE
from service.store.schema import inside
from tests.service.workshop import Workshop, box, overlapping
from tests.stores import Store


@pytest.fixture
def workshop(store: Store) -> Workshop:
    return overlapping(store)


def test_the_first_fix_inside_is_an_enter_and_each_change_an_event(workshop: Workshop) -> None:
    workshop.ingest(workshop.fix("x", 0, 1), workshop.fix("x", 1000, 7), workshop.fix("x", 2000, 20))

    assert workshop.events() == [
        ("ENTER", "x", "A", 0),
        ("ENTER", "x", "B", 1000),
        ("EXIT", "x", "A", 2000),
        ("EXIT", "x", "B", 2000),
    ]


def test_at_one_fix_exit_comes_before_enter(workshop: Workshop) -> None:
    workshop.ingest(workshop.fix("x", 0, 1), workshop.fix("x", 1, 12))

    assert workshop.events()[1:] == [("EXIT", "x", "A", 1), ("ENTER", "x", "B", 1)]


def test_in_and_out_within_one_batch_yields_both_and_leaves_nothing_inside(workshop: Workshop) -> None:
    workshop.ingest(workshop.fix("x", 0, 1), workshop.fix("x", 1, -1))
    workshop.reopen()
    workshop.ingest(workshop.fix("x", 2, -1))

    assert [event[0] for event in workshop.events()] == ["ENTER", "EXIT"]


def test_an_equal_fix_again_is_a_duplicate_and_another_at_its_time_a_conflict(workshop: Workshop) -> None:
    workshop.ingest(workshop.fix("x", 0, 1, speed=3), workshop.fix("x", 0, 1, speed=3))
    workshop.ingest(workshop.fix("x", 0, 1, speed=3), workshop.fix("x", 0, 1, speed=4))
    workshop.ingest(workshop.fix("x", 0, 2), workshop.fix("x", 0, 1, speed=3, accuracy=5))

    assert workshop.positions() == [("x", 0, 2, False)]
    assert workshop.reject_reasons() == ["conflict"] * 3
    assert workshop.metrics.duplicates._value.get() == 2
    assert len(workshop.events()) == 1


def test_in_a_batch_all_equals_of_a_stored_fix_are_judged_by_what_is_stored(workshop: Workshop) -> None:
    workshop.ingest(workshop.fix("x", 0, 1))
    workshop.ingest(workshop.fix("x", 0, 9), workshop.fix("x", 0, 9), workshop.fix("x", 0, 1))

    assert workshop.reject_reasons() == ["conflict"] * 2
    assert workshop.metrics.duplicates._value.get() == 1


def test_a_fix_at_or_before_the_watermark_is_stored_as_late_and_changes_no_state(workshop: Workshop) -> None:
    workshop.ingest(workshop.fix("x", 1000, 1))
    workshop.ingest(workshop.fix("x", 500, 20))
    workshop.ingest(workshop.fix("x", 1500, 1))

    assert workshop.positions() == [("x", 500, None, True), ("x", 1000, 2, False), ("x", 1500, 2, False)]
    assert workshop.events() == [("ENTER", "x", "A", 1000)]


def test_after_a_restart_it_goes_on_where_it_was(workshop: Workshop) -> None:
    workshop.ingest(workshop.fix("x", 0, 7), workshop.fix("y", 0, 1))
    workshop.reopen()
    workshop.ingest(workshop.fix("x", 1, 7), workshop.fix("y", 1, 20), workshop.fix("x", 0, 7))

    assert workshop.events()[3:] == [("EXIT", "y", "A", 1)]


def test_a_batch_delivered_again_after_a_restart_changes_nothing(workshop: Workshop) -> None:
    bad = Message(b"{", "aircraft/x/position")
    batch = [workshop.fix("x", 0, 1), bad, workshop.fix("x", 5, 20), workshop.fix("x", 5, 21)]
    workshop.ingest(*batch)
    before = (workshop.events(), workshop.event_ids(), workshop.positions(), workshop.reject_reasons())
    workshop.reopen()
    workshop.ingest(*(Message(each.payload, each.topic, redelivered=True) for each in batch))

    assert (
        workshop.events(),
        workshop.event_ids(),
        workshop.positions(),
        workshop.reject_reasons(),
    ) == before
    assert before[3] == ["bad_json", "conflict"]


def test_what_was_posted_is_stored_at_once_and_evaluated_in_its_turn(workshop: Workshop) -> None:
    posted = workshop.tracker.post(
        b"[" + workshop.fix("x", 1, 20).payload + b"," + workshop.fix("x", 0, 1).payload + b",7]", "default"
    )
    assert (posted.accepted, [each.reason for each in posted.rejects]) == (2, ["not_object"])
    assert workshop.positions() == [("x", 0, None, False), ("x", 1, None, False)]

    workshop.tracker.evaluate_due()
    assert workshop.events() == [("ENTER", "x", "A", 0), ("EXIT", "x", "A", 1)]
    assert workshop.positions() == [("x", 0, 2, False), ("x", 1, 2, False)]


def test_posting_to_a_tracker_that_does_not_exist_says_so(workshop: Workshop) -> None:
    with pytest.raises(NotFound, match="'ships'"):
        workshop.tracker.post(b"{}", "ships")


def test_trackers_do_not_share_devices_nor_geofences_that_are_not_linked(workshop: Workshop) -> None:
    workshop.catalog.create_tracker("ships")
    workshop.tracker.post(workshop.fix("x", 0, 1).payload, "ships")
    workshop.ingest(workshop.fix("x", 1, 1))
    assert workshop.events() == [("ENTER", "x", "A", 1)]

    workshop.catalog.link("ships", "default")
    workshop.tracker.post(workshop.fix("x", 2, 1).payload, "ships")
    workshop.tracker.evaluate_due()
    assert workshop.events()[1:] == [("ENTER", "x", "A", 2)]
    assert len(set(workshop.event_ids())) == 2


def test_a_geofence_put_edited_or_deleted_is_in_force_from_the_next_batch(workshop: Workshop) -> None:
    workshop.ingest(workshop.fix("x", 0, 50))
    workshop.catalog.put("default", [box("C", 49, 51)])
    workshop.ingest(workshop.fix("x", 1, 50))
    workshop.catalog.put("default", [box("C", 60, 61)])
    workshop.ingest(workshop.fix("x", 2, 50))
    workshop.catalog.put("default", [box("C", 49, 51)])
    workshop.ingest(workshop.fix("x", 3, 50))
    workshop.catalog.delete("default", "C")
    workshop.ingest(workshop.fix("x", 4, 50))

    assert workshop.events() == [("ENTER", "x", "C", 1), ("EXIT", "x", "C", 2), ("ENTER", "x", "C", 3)]
    assert [revision for _, _, revision, _ in workshop.positions()] == [2, 3, 4, 5, 6]


def test_a_position_that_the_database_refuses_stands_alone_and_stops_nothing(workshop: Workshop) -> None:
    workshop.store.refuse("device", "device_id = 'poison'")
    good = [workshop.fix(f"d{number}", number, 1) for number in range(20)]
    workshop.ingest(*good[:7], workshop.fix("poison", 3, 1), *good[7:])

    assert len(workshop.positions()) == 20
    assert len(workshop.events()) == 20
    assert workshop.reject_reasons() == ["unstorable"]


def test_each_event_has_an_outbox_row_for_each_channel_in_the_same_commit(store: Store) -> None:
    workshop = Workshop(store, channels=("email:a@example.org", "mqtt"))
    workshop.catalog.put("default", [box("A", 0, 10)])
    workshop.ingest(workshop.fix("x", 0, 1), workshop.fix("x", 1, 20))

    with workshop.database.read() as connection:
        rows = connection.execute(text("SELECT channel, event_seq FROM outbox ORDER BY key")).all()
    assert rows == [("email:a@example.org", 1), ("email:a@example.org", 2), ("mqtt", 1), ("mqtt", 2)]


Fixes = list[tuple[str, int, int]]
fixes = st.lists(
    st.tuples(st.sampled_from("xyz"), st.integers(0, 40), st.integers(-2, 17)),
    max_size=30,
    unique_by=lambda fix: fix[:2],
)


def _sorted_by_device(stream: Fixes) -> Fixes:
    """The stream with each device's fixes in order of time, devices mixed as they were."""
    queues = {device: sorted(fix for fix in stream if fix[0] == device) for device in "xyz"}
    return [queues[device].pop(0) for device, _, _ in stream]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(fixes, st.data())
def test_any_split_into_batches_and_any_redelivered_suffix_gives_the_same(
    new_store: Callable[[], Store], stream: Fixes, data: st.DataObject
) -> None:
    stream = _sorted_by_device(stream)
    whole = Workshop(new_store())
    parts = Workshop(new_store())
    parts.began = whole.began
    for each in (whole, parts):
        each.catalog.put("default", [box("A", 0, 10), box("B", 5, 15)])
    messages = [whole.fix(*fix) for fix in stream]
    whole.ingest(*messages)
    place = 0
    while place < len(messages):
        end = data.draw(st.integers(place + 1, len(messages)))
        parts.ingest(*messages[place:end])
        if data.draw(st.booleans()):
            parts.reopen()
            again = data.draw(st.integers(0, end))
            parts.ingest(*(Message(each.payload, redelivered=True) for each in messages[again:end]))
        place = end

    assert sorted(parts.event_ids()) == sorted(whole.event_ids())
    assert parts.positions() == whole.positions()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(fixes, st.data())
def test_any_shuffle_within_the_window_gives_the_events_of_the_sorted_stream(
    new_store: Callable[[], Store], stream: Fixes, data: st.DataObject
) -> None:
    ordered = Workshop(new_store())
    shuffled = Workshop(new_store(), window=30)
    shuffled.began = ordered.began
    for each in (ordered, shuffled):
        each.catalog.put("default", [box("A", 0, 10), box("B", 5, 15)])
    ordered.ingest(*(ordered.fix(*fix) for fix in sorted(stream, key=lambda fix: fix[1])))
    mixed = data.draw(st.permutations(stream))
    middle = data.draw(st.integers(0, len(mixed)))
    shuffled.ingest(*(shuffled.fix(*fix) for fix in mixed[:middle]))
    assert shuffled.events() == []
    shuffled.reopen()  # a restart in the middle of the window
    shuffled.ingest(*(shuffled.fix(*fix) for fix in mixed[middle:]))
    assert shuffled.events() == []
    shuffled.seconds += 31
    shuffled.tracker.evaluate_due()

    assert sorted(shuffled.event_ids()) == sorted(ordered.event_ids())
    assert [each[:2] + each[3:] for each in shuffled.positions()] == [
        each[:2] + each[3:] for each in ordered.positions()
    ]


def test_a_fix_later_than_the_window_is_stored_marked_late_and_not_evaluated(store: Store) -> None:
    workshop = Workshop(store, window=30)
    workshop.catalog.put("default", [box("A", 0, 10)])
    workshop.ingest(workshop.fix("x", 1000, 20))
    workshop.seconds += 31
    workshop.tracker.evaluate_due()
    workshop.ingest(workshop.fix("x", 500, 1))

    assert workshop.positions()[0] == ("x", 500, None, True)
    assert workshop.events() == []


def test_payload_properties_are_kept_in_canonical_form(workshop: Workshop) -> None:
    workshop.ingest(workshop.fix("x", 0, 1, speed=1.5, callsign="AB", none=None))

    with workshop.database.read() as connection:
        (properties,) = connection.execute(text("SELECT properties FROM position")).scalars()
    assert json.loads(properties) == {"callsign": "AB", "speed": 1.5}


def test_fixes_wait_their_window_and_take_earlier_ones_of_their_device_along(store: Store) -> None:
    workshop = Workshop(store, window=30)
    workshop.catalog.put("default", [box("A", 0, 10)])
    workshop.ingest(workshop.fix("x", 2000, 20), workshop.fix("y", 0, 1))
    workshop.seconds = 20
    workshop.ingest(workshop.fix("x", 1000, 1), workshop.fix("x", 3000, 1))
    workshop.seconds = 31
    workshop.tracker.evaluate_due()

    assert workshop.events() == [("ENTER", "y", "A", 0), ("ENTER", "x", "A", 1000), ("EXIT", "x", "A", 2000)]
    workshop.seconds = 51
    workshop.tracker.evaluate_due()
    assert workshop.events()[3:] == [("ENTER", "x", "A", 3000)]


def test_what_a_refused_commit_had_done_to_memory_is_undone(workshop: Workshop) -> None:
    workshop.store.refuse("position", "longitude = 3")
    workshop.ingest(workshop.fix("x", 1000, 3))
    workshop.ingest(workshop.fix("x", 1000, 4))

    assert workshop.reject_reasons() == ["unstorable"]
    assert workshop.events() == [("ENTER", "x", "A", 1000)]
    assert workshop.positions() == [("x", 1000, 2, False)]


def test_the_latest_position_is_that_of_the_greatest_sample_time_whatever_comes_after(
    workshop: Workshop,
) -> None:
    workshop.ingest(workshop.fix("x", 1000, 1))
    workshop.ingest(workshop.fix("x", 500, 2))

    with workshop.database.read() as connection:
        assert list(connection.scalars(text("SELECT longitude FROM device"))) == [1]


def test_what_was_posted_before_a_batch_is_evaluated_before_it(workshop: Workshop) -> None:
    workshop.tracker.post(workshop.fix("x", 0, 1).payload, "default")
    workshop.ingest(workshop.fix("x", 1, 20))

    assert workshop.events() == [("ENTER", "x", "A", 0), ("EXIT", "x", "A", 1)]


def test_what_is_posted_and_what_comes_in_do_not_wait_for_each_other(workshop: Workshop) -> None:
    posted, came = workshop.fix("x", 0, 1), workshop.fix("x", 1, 20)
    threads = [
        threading.Thread(target=workshop.tracker.post, args=(posted.payload, "default"), daemon=True),
        threading.Thread(target=workshop.tracker.ingest, args=([came], "default"), daemon=True),
    ]
    with workshop.database.write():  # on SQLite both wait until it ends
        for each in threads:
            each.start()
            time.sleep(0.2)  # until it waits: a lock does not say who waits for it
    for each in threads:
        each.join(30)

    assert not any(each.is_alive() for each in threads)
    assert len(workshop.positions()) == 2


def test_no_two_commits_have_the_same_time_of_receipt(workshop: Workshop) -> None:
    for number in range(10):
        workshop.tracker.ingest([workshop.fix("x", number, 1)], "default")

    with workshop.database.read() as connection:
        times = list(connection.scalars(text("SELECT received_time FROM position ORDER BY sample_time")))
    assert times == sorted(set(times))
    last = workshop.tracker._last_receipt = times[-1] + 3_600_000  # as if the clock was set back by an hour
    workshop.ingest(workshop.fix("x", 100, 1))
    with workshop.database.read() as connection:
        assert max(connection.scalars(text("SELECT received_time FROM position"))) == last + 1


def test_what_waits_goes_before_what_comes_however_much_it_is(new_store: Callable[[], Store]) -> None:
    workshop = Workshop(new_store())
    workshop.catalog.put("default", [box("A", 0, 10)])
    count = DEVICES_AT_ONCE + 100
    fixes = [workshop.fix(f"d{number}", 0, 5) for number in range(count)]
    workshop.tracker.post(b"\n".join(fix.payload for fix in fixes), "default")
    workshop.tracker.ingest([workshop.fix(f"d{number}", 1, 20) for number in range(count)], "default")
    kinds = Counter(kind for kind, *_ in workshop.events())
    assert kinds == {"ENTER": count, "EXIT": count}


def test_a_link_begins_with_nothing_inside_whatever_the_one_before_left(
    new_store: Callable[[], Store],
) -> None:
    workshop = Workshop(new_store())
    workshop.catalog.put("default", [box("A", 0, 10)])
    workshop.ingest(workshop.fix("x", 0, 5))
    with workshop.database.read() as connection:
        rows = [dict(row._mapping) for row in connection.execute(select(inside))]
    workshop.catalog.unlink("default", "default")
    with workshop.database.write() as connection:
        connection.execute(insert(inside), rows)  # of a commit that went on meanwhile
    workshop.catalog.link("default", "default")
    workshop.reopen()
    workshop.ingest(workshop.fix("x", 1, 5))
    assert [(kind, time) for kind, _, _, time in workshop.events()] == [("ENTER", 0), ("ENTER", 1)]


def test_who_posts_to_a_tracker_that_is_not_there_costs_nobody_the_memory(workshop: Workshop) -> None:
    workshop.ingest(workshop.fix("x", 0, 1))
    held = workshop.tracker._evaluator._held
    with pytest.raises(NotFound):
        workshop.tracker.ingest([workshop.fix("x", 1, 7)], "nosuch")
    assert not held.empty
    workshop.ingest(workshop.fix("x", 2, 20))
    assert [event[0] for event in workshop.events()] == ["ENTER", "EXIT"]
