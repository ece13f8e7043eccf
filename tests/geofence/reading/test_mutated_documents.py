"""Whatever becomes of a valid document on its way, reading it raises nothing but its own error, and soon."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from hypothesis import given, settings
from hypothesis import strategies as st

from geofence.faults import InvalidGeofences
from geofence.reading.geojson import read_geofence, read_geofences

SQUARE = [[0, 0], [10, 0], [10, 10], [0, 10], [0, 0]]
HOLE = [[1, 1], [2, 1], [2, 2], [1, 1]]
CAP = [[-180, 60], [180, 60], [180, 90], [-180, 90], [-180, 60]]
SLIVER = [[-1e-300, 0.1], [5e-324, 0.1], [0.0, 0.30000000000000004], [-1e-300, 0.1]]


def feature(geofence_id: str, kind: str, coordinates: object, **properties: object) -> dict[str, object]:
    geometry = {"type": kind, "coordinates": coordinates}
    return {"type": "Feature", "id": geofence_id, "properties": properties, "geometry": geometry}


FEATURES = [
    feature("a", "MultiPolygon", [[SQUARE, HOLE], [CAP]], name="x\\", deep=[[{"y": 1.5e3}]]),
    feature("b", "Polygon", [SLIVER], note="NaN"),
    feature("c", "Point", [8.55, 47.45], radius=8000),
]
VALID = ",".join(json.dumps(each, separators=(",", ":")) for each in FEATURES).encode()
ODD = [
    rb"\ud800",
    b"1e999",
    b"null",
    b"[[[[",
    b"]]",
    b'"',
    b"-0",
    b"NaN",
    b"-Infinity",
    b"5e-324",
    b"\\",
    b"180",
]

edits = st.lists(
    st.tuples(
        st.integers(0, len(VALID)),
        st.integers(0, 30),
        st.binary(max_size=6)
        | st.sampled_from(ODD)
        | st.from_regex(rb"-?[0-9]{1,3}(\.[0-9]{1,18})?(e-?[0-9]{1,3})?", fullmatch=True)
        | st.tuples(st.integers(0, len(VALID)), st.integers(0, 60)).map(lambda at: VALID[at[0] : sum(at)]),
    ),
    max_size=5,
)


@given(edits=edits)
@settings(max_examples=300, deadline=None)
def test_no_bytes_raise_anything_but_the_error_of_its_own(edits: list[tuple[int, int, bytes]]) -> None:
    features = mutated(edits)
    read_or_refuse(collection(features))
    for document in (features, features[: features.find(b'},{"type"') + 1]):
        try:
            read_geofence(document, "a")
        except InvalidGeofences as error:
            assert error.faults
            assert str(error)


@given(edits=edits)
@settings(max_examples=40, deadline=None)
def test_each_ten_copies_more_of_any_features_take_as_many_calls_as_the_ten_before(
    edits: list[tuple[int, int, bytes]],
) -> None:
    features = mutated(edits)
    calls = []
    for copies in (10, 20, 30):
        with counted_calls() as counted:
            read_or_refuse(collection(*[features] * copies))
        calls.append(counted[0])
    assert calls[2] - calls[1] <= calls[1] - calls[0] + FEW_CALLS


FEW_CALLS = 50
"""Such as a table that grows may cost."""


def read_or_refuse(document: bytes) -> None:
    try:
        read_geofences(document)
    except InvalidGeofences as error:
        assert error.faults
        assert str(error)


def collection(*features: bytes) -> bytes:
    return b'{"type":"FeatureCollection","features":[' + b",".join(features) + b"]}"


def mutated(edits: list[tuple[int, int, bytes]]) -> bytes:
    document = VALID
    for start, length, replacement in edits:
        document = document[:start] + replacement + document[start + length :]
    return document


@contextmanager
def counted_calls() -> Iterator[list[int]]:
    """How many functions are called, in Python and in C, while it is open."""
    calls = [0]

    def count(_: FrameType, event: str, __: object) -> None:
        calls[0] += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        yield calls
    finally:
        sys.setprofile(before)
