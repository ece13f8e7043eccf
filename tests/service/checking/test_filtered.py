"""What a check proves of devices whose positions are filtered."""

import pytest
from sqlalchemy import delete, update

from service.filtering.passing import DISTANCE_BASED, TIME_BASED
from service.store.schema import device, event
from tests.service.checking.checked import checked
from tests.service.workshop import Workshop, overlapping
from tests.stores import Store


def flown(store: Store, filtering: str) -> Workshop:
    workshop = overlapping(store)
    workshop.catalog.update_tracker("default", position_filtering=filtering)
    workshop.ingest(
        *(workshop.fix("x", 1000 * second, longitude) for second, longitude in enumerate([20, 7, 7]))
    )
    return workshop


def test_by_time_events_are_counted_as_not_proved(store: Store) -> None:
    findings, violations = checked(flown(store, TIME_BASED).database)

    assert violations == []
    assert findings.proved["events"] == 0
    assert findings.unproved == {
        "events and visits of devices of which not all that was evaluated is stored": 4,
        "watermarks of which the position was not stored": 1,
    }


def test_by_distance_all_is_proved(store: Store) -> None:
    workshop = flown(store, DISTANCE_BASED)
    findings, violations = checked(workshop.database)
    assert (violations, findings.proved["events"], findings.unproved) == ([], 2, {})

    with workshop.database.write() as connection:
        connection.execute(delete(event).where(event.c.geofence_id == "A"))
    assert [each.check for each in checked(workshop.database)[1]] == ["event"]


@pytest.mark.parametrize("filtering", [TIME_BASED, DISTANCE_BASED])
def test_a_watermark_that_nothing_explains_is_found(store: Store, filtering: str) -> None:
    workshop = flown(store, filtering)
    with workshop.database.write() as connection:
        connection.execute(update(device).values(watermark=workshop.began + 5))

    assert [each.check for each in checked(workshop.database)[1]] == ["watermark"]
