"""What is said of trackers and collections, on each store."""

import pytest

from service.store.reading.collections import collection_named
from service.store.reading.trackers import tracker_named
from tests.service.workshop import Workshop
from tests.stores import Store


@pytest.fixture
def workshop(store: Store) -> Workshop:
    return Workshop(store)


def test_a_tracker_is_what_it_was_told_to_be_and_what_is_not_named_stays(workshop: Workshop) -> None:
    tags = {"Größe": "groß", "team": ""}
    workshop.catalog.create_tracker("trucks", description="all", tags=tags, kms_key_id="k")
    workshop.catalog.update_tracker("trucks", description="some", position_filtering="DistanceBased")
    with workshop.database.read() as connection:
        row = tracker_named(connection, "trucks")
        untold = tracker_named(connection, "default")
    assert (row.description, row.tags, row.position_filtering) == ("some", tags, "DistanceBased")
    assert (row.kms_key_id, row.kms_geospatial, row.position_events) == ("k", False, False)
    assert row.updated_time >= row.created_time
    assert (untold.description, untold.tags, untold.position_filtering) == ("", {}, None)
    assert untold.updated_time == untold.created_time


def test_a_collection_is_what_it_was_told_to_be_and_what_is_not_named_stays(workshop: Workshop) -> None:
    workshop.catalog.create_collection("zones", description="all", tags={"a": "b"}, kms_key_id="k")
    workshop.catalog.update_collection("zones", tags={})
    with workshop.database.read() as connection:
        row = collection_named(connection, "zones")
    assert (row.description, row.tags, row.kms_key_id) == ("all", {}, "k")
    assert row.updated_time >= row.created_time
