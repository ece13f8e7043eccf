"""Native events written by the thousand are what is written one by one."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ingest.timestamps import EARLIEST, LATEST, iso
from service.found_events import EVENT
from service.native_lines import decimal_texts, native_lines

DEGREES = st.floats(-180, 180)
ROWS = st.lists(
    st.tuples(
        st.text("0123456789abcdef", min_size=32, max_size=32),
        st.sampled_from(["ENTER", "EXIT", "DWELL"]),
        st.sampled_from(["default", "fleet"]),
        st.sampled_from(["default", "zones"]),
        st.sampled_from(["4ca7b3", "gér-1"]),
        st.sampled_from(["LSZH", "Zürich"]),
        st.integers(EARLIEST, LATEST),
        DEGREES,
        DEGREES,
        st.booleans(),
    ),
    min_size=1,
)


@given(ROWS)
def test_each_line_is_the_native_event_of_its_row(rows: list[tuple[Any, ...]]) -> None:
    names_of, events = [row[:6] for row in rows], np.zeros(len(rows), EVENT)
    for column, values in zip(COLUMNS, zip(*(row[6:] for row in rows), strict=True), strict=True):
        events[column] = values

    lines = native_lines(*zip(*names_of, strict=True), events)

    assert [json.loads(line) for line in lines.splitlines()] == [
        {
            **dict(zip(NAMES, names, strict=False)),
            "sampleTime": iso(time),
            "position": [longitude, latitude],
            **({"interpolated": True} if interpolated else {}),
        }
        for *names, time, longitude, latitude, interpolated in rows
    ]


NAMES = ("eventId", "eventType", "trackerName", "collectionName", "deviceId", "geofenceId")
COLUMNS = ("time", "longitude", "latitude", "interpolated")


@given(st.lists(DEGREES | st.floats(-1e-3, 1e-3), min_size=1))
@example([0.0, -0.0, 5e-324, 1e-5, 0.0001, 0.00011, -9.999e-5, 180.0, -180.0, 7.0])
def test_numbers_are_written_as_python_writes_them(numbers: list[float]) -> None:
    assert decimal_texts(np.array(numbers)) == [repr(number) for number in numbers]


def test_columns_of_unequal_length_are_refused() -> None:
    with pytest.raises(ValueError, match="attempt to assign sequence of size 2"):
        native_lines(["a", "b"], ["EXIT"], ["t"], ["c"], ["d"], ["g"], np.zeros(1, EVENT))
