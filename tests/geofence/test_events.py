"""Event ids."""

import hashlib

from geofence.events import event_id, event_ids


def test_id_is_the_first_32_hex_digits_of_sha256_over_all_that_tells_events_apart() -> None:
    text = "default\0default\x004ca7b3\0LSZH\0ENTER\x001533099600000\x000"
    expected = hashlib.sha256(text.encode()).hexdigest()[:32]
    assert event_id("default", "default", "4ca7b3", "LSZH", "ENTER", 1533099600000) == expected


def test_ordinal_tells_events_of_one_fix_apart() -> None:
    first = event_id("t", "c", "d", "g", "ENTER", 1)
    assert event_id("t", "c", "d", "g", "ENTER", 1, ordinal=0) == first
    assert event_id("t", "c", "d", "g", "ENTER", 1, ordinal=1) != first


def test_ids_of_many_are_the_ids_of_each() -> None:
    columns = (["a", "é中"], ["x", "y"], ["ENTER", "EXIT"], [1, -5], [0, 3])
    assert event_ids("t", "c", *columns) == [event_id("t", "c", *row) for row in zip(*columns, strict=True)]
