"""What is taken away, geofences, links, collections, devices, trackers, leaves nothing behind."""

import pytest
from sqlalchemy import text

from tests.service.workshop import Workshop, box, overlapping
from tests.stores import Store


@pytest.fixture
def workshop(store: Store) -> Workshop:
    return overlapping(store)


def test_a_geofence_deleted_and_put_again_between_two_fixes_is_entered_anew(workshop: Workshop) -> None:
    workshop.ingest(workshop.fix("x", 0, 1))
    workshop.catalog.delete("default", "A")
    workshop.catalog.put("default", [box("A", 0, 10)])
    workshop.ingest(workshop.fix("x", 1, 1))

    assert workshop.events() == [("ENTER", "x", "A", 0), ("ENTER", "x", "A", 1)]


def test_unlinking_ends_the_state_without_an_event_even_if_linked_again_at_once(workshop: Workshop) -> None:
    workshop.ingest(workshop.fix("x", 0, 1))
    workshop.catalog.unlink("default", "default")
    workshop.catalog.link("default", "default")
    workshop.ingest(workshop.fix("x", 1, 1))

    assert workshop.events() == [("ENTER", "x", "A", 0), ("ENTER", "x", "A", 1)]


def test_a_deleted_collection_leaves_no_state(workshop: Workshop) -> None:
    workshop.catalog.create_collection("zones")
    workshop.catalog.link("default", "zones")
    workshop.catalog.put("zones", [box("Z", 0, 10)])
    workshop.ingest(workshop.fix("x", 0, 1))
    workshop.catalog.unlink("default", "zones")
    workshop.catalog.delete_collection("zones")
    workshop.ingest(workshop.fix("x", 1, 1), workshop.fix("x", 2, 20))

    assert workshop.events() == [("ENTER", "x", "A", 0), ("EXIT", "x", "A", 2)]


def test_a_forgotten_device_leaves_nothing_and_does_not_come_back_by_redelivery(workshop: Workshop) -> None:
    old = workshop.fix("x", 0, 1)
    workshop.ingest(old, workshop.fix("y", 0, 1))
    assert workshop.tracker.forget("default", "x")
    workshop.ingest(old)
    workshop.reopen()
    workshop.ingest(old)

    assert [each[0] for each in workshop.positions()] == ["y"]
    assert [each[1] for each in workshop.events()] == ["y"]
    assert workshop.reject_reasons() == ["forgotten", "forgotten"]
    assert not workshop.tracker.forget("default", "nobody")


def test_a_forgotten_device_that_moves_again_is_a_new_one(workshop: Workshop) -> None:
    workshop.ingest(workshop.fix("x", 0, 1))
    workshop.tracker.forget("default", "x")
    workshop.ingest(workshop.fix("x", 3_700_000, 1))

    assert workshop.events() == [("ENTER", "x", "A", 3_700_000)]


def test_a_tracker_deleted_and_created_again_knows_nothing_of_the_old_one(workshop: Workshop) -> None:
    for longitude in (1, 1):
        workshop.catalog.create_tracker("ships")
        workshop.catalog.link("ships", "default")
        workshop.tracker.post(workshop.fix("x", 0, longitude).payload, "ships")
        workshop.tracker.evaluate_due()
        assert workshop.events() == [("ENTER", "x", "A", 0)]
        workshop.catalog.delete_tracker("ships")
    assert workshop.events() == []


def test_a_collection_deleted_and_created_again_holds_only_what_is_put_then(workshop: Workshop) -> None:
    for west in (100, 20):
        workshop.catalog.create_collection("zones")
        workshop.catalog.link("default", "zones")
        workshop.catalog.put("zones", [box("Z", west, west + 10)])
        workshop.ingest(workshop.fix("x", west, west + 5))
        workshop.catalog.unlink("default", "zones")
        workshop.catalog.delete_collection("zones")
    workshop.catalog.create_collection("zones")
    workshop.catalog.link("default", "zones")
    workshop.ingest(workshop.fix("x", 200, 105), workshop.fix("x", 201, 25))
    assert workshop.events() == []


def test_a_forgotten_device_whose_clock_was_ahead_does_not_come_back_either(workshop: Workshop) -> None:
    ahead = workshop.fix("x", 3_600_000 + 300_000, 1)
    workshop.ingest(ahead)
    workshop.tracker.forget("default", "x")
    workshop.ingest(ahead)

    assert workshop.positions() == []


def test_after_a_restart_nothing_is_inside_a_geofence_that_was_deleted(workshop: Workshop) -> None:
    workshop.ingest(workshop.fix("x", 0, 1))
    workshop.catalog.delete("default", "A")
    workshop.reopen()
    workshop.ingest(workshop.fix("x", 1, 20))

    assert workshop.events() == [("ENTER", "x", "A", 0)]


def test_a_deleted_tracker_leaves_no_position(workshop: Workshop) -> None:
    workshop.catalog.create_tracker("ships")
    workshop.tracker.post(workshop.fix("s", 0, 1).payload, "ships")
    workshop.ingest(workshop.fix("x", 0, 1))
    workshop.catalog.delete_tracker("ships")

    with workshop.database.read() as connection:
        assert connection.scalar(text("SELECT count(*) FROM position")) == 1


LEFT_INSIDE = text("INSERT INTO inside (device_key, geofence_key) VALUES (1, 1)")
"""As a commit writes it that began before the geofence was taken away, and ended after."""


@pytest.mark.parametrize("restarted", [False, True])
@pytest.mark.parametrize("taken_away", ["deleted", "unlinked"])
def test_a_visit_written_while_its_geofence_was_taken_away_ends_without_an_event(
    workshop: Workshop, taken_away: str, restarted: bool
) -> None:
    workshop.ingest(workshop.fix("x", 0, 1))
    if taken_away == "deleted":
        workshop.catalog.delete("default", "A")
    else:
        workshop.catalog.unlink("default", "default")
    with workshop.database.write() as connection:
        connection.execute(LEFT_INSIDE)
    if restarted:
        workshop.reopen()
    workshop.ingest(workshop.fix("x", 1, 30))

    assert workshop.events() == [("ENTER", "x", "A", 0)]
    if not restarted:
        with workshop.database.read() as connection:
            assert connection.scalar(text("SELECT count(*) FROM inside")) == 0
