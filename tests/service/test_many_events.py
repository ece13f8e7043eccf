"""Many events: a page is found by what is asked for, and what they name is there."""

import numpy as np
import pytest
from sqlalchemy import Table, select, text
from sqlalchemy.exc import IntegrityError

from service.store.columns import Columns, insert_columns
from service.store.reading import events as reading
from service.store.reading.events import EventFilter, events
from service.store.schema import device, event, geofence
from tests.service.plans import plans
from tests.service.workshop import Workshop, overlapping
from tests.stores import Store

COUNT = 5_000
TIMES = np.random.default_rng(0).permutation(COUNT).tolist()


@pytest.fixture
def workshop(store: Store) -> Workshop:
    """With events at times 0..COUNT-1 in disorder, and one fix that has none."""
    workshop = overlapping(store)
    workshop.ingest(workshop.fix("x", 0, 100))
    with workshop.database.write() as connection:
        insert_columns(connection, event, rows(workshop))
        connection.execute(text("ANALYZE"))
    return workshop


def rows(workshop: Workshop, geofence_key: int | None = None, device_key: int | None = None) -> Columns:
    with workshop.database.read() as connection:
        device_key = device_key or connection.scalar(select(device.c.key))
        geofence_key = geofence_key or connection.scalar(select(geofence.c.key).limit(1))
    same = {
        "tracker_key": 1,
        "device_key": device_key,
        "geofence_key": geofence_key,
        "event_type": "ENTER",
        "collection_name": "default",
        "geofence_id": "A",
        "device_id": "x",
        "received_time": 0,
        "committed_time": 0,
        "longitude": 1.0,
        "latitude": 1.0,
        "accuracy": None,
        "properties": "",
        "revision": 1,
        "interpolated": False,
    }
    return {
        "event_id": [f"{geofence_key}-{device_key}-{number}" for number in range(COUNT)],
        "sample_time": TIMES,
        **{name: [value] * COUNT for name, value in same.items()},
    }


@pytest.mark.parametrize("few", [10, 20_000])
@pytest.mark.parametrize(
    "wanted", [EventFilter(start=1_000, end=1_300), EventFilter(start=4_000, geofence_id="A")]
)
def test_events_of_a_time_come_page_by_page_in_the_order_of_commit(
    workshop: Workshop, wanted: EventFilter, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "FEW", few)
    found: list[int] = []
    with workshop.database.read() as connection:
        while page := events(connection, 1, wanted, found[-1] if found else 0, 70):
            found += [each.seq for each in page]
        times = {seq: time for seq, time in connection.execute(select(event.c.seq, event.c.sample_time))}

    start, end = wanted.start or 0, wanted.end or COUNT
    assert found == [seq for seq, time in sorted(times.items()) if start <= time < end]


def test_few_events_of_a_time_are_found_by_their_index(workshop: Workshop) -> None:
    with plans(workshop.database) as found, workshop.database.read() as connection:
        assert len(events(connection, 1, EventFilter(start=1_000, end=1_010), 0, 100)) == 10

    assert ["event_by_time" in plan for plan in found] == [True, True], found


@pytest.mark.parametrize("gone", ["geofence", "device"])
def test_an_event_of_what_is_not_there_is_refused(workshop: Workshop, gone: str) -> None:
    missing = rows(workshop, **{f"{gone}_key": 99})
    with pytest.raises(IntegrityError), workshop.database.write() as connection:
        insert_columns(connection, event, missing)


@pytest.mark.parametrize("gone", [geofence, device])
def test_events_go_with_what_they_name(workshop: Workshop, gone: Table) -> None:
    with workshop.database.write() as connection:
        connection.execute(gone.delete())
        assert connection.scalar(select(event.c.seq).limit(1)) is None
