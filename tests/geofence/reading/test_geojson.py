"""Reading geofences: what is taken, how each fault is named, and that writing reads back the same."""

import json
import subprocess
import sys

import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import MultiPolygon, Point, Polygon

from geofence.conditions.conditions import Conditions
from geofence.faults import GeofenceFault, InvalidGeofences
from geofence.geofence import Geofence
from geofence.reading.geojson import (
    MOST_FAULTS,
    feature_text,
    read_accepted_geofence,
    read_geofence,
    read_geofences,
)
from tests.geofence.reading.squares import SQUARE, box
from tests.geofence.strategies import geofences

BOW_TIE = [[0, 0], [10, 10], [10, 0], [0, 10], [0, 0]]

Json = dict[str, object]


def feature(geofence_id: object, geometry: object, **properties: object) -> Json:
    return {"type": "Feature", "id": geofence_id, "properties": properties, "geometry": geometry}


def polygon(*rings: object) -> Json:
    return {"type": "Polygon", "coordinates": rings}


def multipolygon(*polygons: object) -> Json:
    return {"type": "MultiPolygon", "coordinates": polygons}


def point(longitude: float, latitude: float) -> Json:
    return {"type": "Point", "coordinates": [longitude, latitude]}


def collection(*features: object) -> bytes:
    return json.dumps({"type": "FeatureCollection", "features": features}).encode()


def faults(document: bytes) -> tuple[GeofenceFault, ...]:
    with pytest.raises(InvalidGeofences) as caught:
        read_geofences(document)
    return caught.value.faults


def only_fault(*features: object) -> GeofenceFault:
    (fault,) = faults(collection(*features))
    return fault


def test_polygon_with_hole_multipolygon_and_circle_are_read_in_order() -> None:
    read = read_geofences(
        collection(
            feature("a", polygon(SQUARE, box(1, 1, 1)), name="Alpha"),
            feature("b", multipolygon([SQUARE], [box(20, 20, 1)])),
            feature("c", point(8.55, 47.45), radius=8000),
        )
    )
    assert [geofence.id for geofence in read] == ["a", "b", "c"]
    assert [type(geofence.geometry) for geofence in read] == [Polygon, MultiPolygon, Point]
    assert [geofence.radius for geofence in read] == [None, None, 8000.0]
    assert [geofence.name for geofence in read] == ["Alpha", "b", "c"]
    assert read[2].properties == {"radius": 8000}


def test_altitudes_and_repeated_vertices_are_taken() -> None:
    ring = [[0, 0, 400], [0, 0, 500], [10, 0], [10, 10, 3, 4], [0, 0]]
    (geofence,) = read_geofences(collection(feature("a", polygon(ring))))
    assert shapely.get_coordinates(geofence.geometry).tolist() == [[0, 0], [0, 0], [10, 0], [10, 10], [0, 0]]


def test_feature_without_properties_has_none() -> None:
    document = {"type": "Feature", "id": "a", "properties": None, "geometry": polygon(SQUARE)}
    assert read_geofence(json.dumps(document).encode(), "a").properties == {}


@pytest.mark.parametrize(
    ("rings", "reason", "ring", "vertex"),
    [
        ([SQUARE[:-1]], "not_closed", "polygon 0 ring 0", 3),
        ([SQUARE[:2]], "too_few", "polygon 0 ring 0", None),
        ([[]], "too_few", "polygon 0 ring 0", None),
        ([], "too_few", None, None),
        ([BOW_TIE], "self_crossing", "polygon 0 ring 0", 0),
        ([SQUARE, [[2, 2], [4, 4], [4, 2], [2, 4], [2, 2]]], "self_crossing", "polygon 0 ring 1", 0),
        (
            [[[0, 0], [5, 0], [5, 5], [0, 0], [-5, 5], [-5, 0], [0, 0]]],
            "self_crossing",
            "polygon 0 ring 0",
            0,
        ),
        ([[[0, 0], [0, 0], [0, 0], [0, 0]]], "too_few", "polygon 0 ring 0", 0),
        ([SQUARE, box(20, 20, 1)], "hole_outside", "polygon 0 ring 1", 0),
        ([SQUARE, box(2, 2, 2), box(3, 3, 2)], "overlap", "polygon 0 ring 2", 3),
        ([SQUARE, box(2, 2, 4), box(3, 3, 1)], "overlap", "polygon 0 ring 2", 0),
        ([[[0, 0], [10, 0], [180.5, 10], [0, 0]]], "out_of_bounds", "polygon 0 ring 0", 2),
        ([[[0, 0], [10, -90.5], [10, 10], [0, 0]]], "out_of_bounds", "polygon 0 ring 0", 1),
        ([[[0, 0], ["10", 0], [10, 10], [0, 0]]], "coordinates", "polygon 0 ring 0", 1),
        ([[[0, 0], [10], [10, 10], [0, 0]]], "coordinates", "polygon 0 ring 0", 1),
        ([[[0, 0], None, [10, 10], [0, 0]]], "coordinates", "polygon 0 ring 0", 1),
        ([7], "coordinates", "polygon 0 ring 0", None),
    ],
)
def test_fault_of_a_polygon_names_ring_and_vertex(
    rings: list[object], reason: str, ring: str | None, vertex: int | None
) -> None:
    fault = only_fault(feature("good", polygon(SQUARE)), feature("bad", polygon(*rings)))
    assert (fault.feature, fault.geofence_id) == (1, "bad")
    assert (fault.reason, fault.ring, fault.vertex) == (reason, ring, vertex)
    assert "expected" in fault.detail


@pytest.mark.parametrize(
    ("polygons", "reason", "ring"),
    [
        ([[SQUARE], [box(5, 5, 1)]], "overlap", "polygon 1 ring 0"),
        ([[SQUARE], [box(9, 9, 5)]], "overlap", "polygon 1 ring 0"),
        ([[SQUARE], [box(20, 0, 5), box(30, 0, 1)]], "hole_outside", "polygon 1 ring 1"),
        ([[SQUARE], [BOW_TIE]], "self_crossing", "polygon 1 ring 0"),
        ([], "too_few", None),
        ([[SQUARE], []], "too_few", None),
    ],
)
def test_fault_of_a_multipolygon_names_polygon_and_ring(
    polygons: list[object], reason: str, ring: str | None
) -> None:
    fault = only_fault(feature("bad", multipolygon(*polygons)))
    assert (fault.reason, fault.ring) == (reason, ring)


def test_polygons_and_holes_that_touch_in_points_are_taken() -> None:
    touching = multipolygon([SQUARE, box(1, 1, 1), box(2, 2, 1)], [box(10, 10, 1)])
    assert len(read_geofences(collection(feature("a", touching)))) == 1


@pytest.mark.parametrize("radius", [None, "8000", True, 0, -1, 10_000_001, [1]])
def test_circle_needs_a_radius_above_0_and_up_to_10_000_km(radius: object) -> None:
    assert only_fault(feature("a", point(1, 2), radius=radius)).reason == "radius"


@pytest.mark.parametrize("radius", [1e-9, 1, 10_000_000])
def test_radius_within_bounds_is_taken(radius: float) -> None:
    assert read_geofences(collection(feature("a", point(1, 2), radius=radius)))[0].radius == radius


@pytest.mark.parametrize(
    "geofence_id", [None, 12, 1.5, True, "", "a b", "a/b", "x" * 101, ["a"], "a\n", "<b>"]
)
def test_id_that_is_none_is_refused(geofence_id: object) -> None:
    assert only_fault(feature(geofence_id, polygon(SQUARE))).reason == "id"


@pytest.mark.parametrize("geofence_id", ["a", "FIR-LSAS-1", "é中9._-", "x" * 100])
def test_id_of_letters_digits_and_some_signs_is_taken(geofence_id: str) -> None:
    assert read_geofences(collection(feature(geofence_id, polygon(SQUARE))))[0].id == geofence_id


def test_id_that_is_a_number_is_refused_with_the_text_to_send() -> None:
    assert 'for example "12"' in only_fault(feature(12, polygon(SQUARE))).detail


def test_id_that_occurs_twice_is_refused_and_names_both_features() -> None:
    fault = only_fault(
        feature("a", polygon(SQUARE)), feature("b", polygon(SQUARE)), feature("a", polygon(SQUARE))
    )
    assert (fault.reason, fault.feature) == ("duplicate_id", 2)
    assert "feature 0" in fault.detail


@pytest.mark.parametrize("geometry", [None, {}, {"type": "LineString", "coordinates": [[0, 0], [1, 1]]}, 5])
def test_other_geometries_are_refused(geometry: object) -> None:
    assert only_fault(feature("a", geometry)).reason == "geometry"


def test_every_fault_of_every_feature_is_named_at_once() -> None:
    found = faults(
        collection(
            feature("a", multipolygon([SQUARE[:-1]], [BOW_TIE, box(300, 0, 1)])),
            feature("ok", polygon(SQUARE)),
            feature(7, point(0, 95), radius=-1, schedule="always"),
            5,
        )
    )
    assert [(fault.feature, fault.reason) for fault in found] == [
        (0, "not_closed"),
        (0, "self_crossing"),
        (0, "out_of_bounds"),
        (2, "id"),
        (2, "schedule"),
        (2, "out_of_bounds"),
        (2, "radius"),
        (3, "not_a_feature"),
    ]


def test_error_reads_as_sentences_that_say_where() -> None:
    with pytest.raises(InvalidGeofences) as caught:
        read_geofences(collection(feature("a", polygon([[0, 0], [10, 95], [10, 10], [0, 0]]))))
    assert str(caught.value) == (
        "feature 0 (id a), polygon 0 ring 0, vertex 1: latitude 95: expected -90..90 "
        "(longitude comes first); swap longitude and latitude: [95, 10] would fit; "
        "or end the ring at the pole, latitude -90 or 90"
    )


@pytest.mark.parametrize(
    "text",
    [rb"\u0000", rb"\ud800", rb"\udc00\ud800", rb"\uD83Dx", rb"a\ud83d"],
    ids=range(5),
)
def test_nul_and_lone_surrogates_are_refused_in_their_feature_only(text: bytes) -> None:
    document = collection(feature("a", polygon(SQUARE), name="HERE"), feature("b", polygon(BOW_TIE)))
    found = faults(document.replace(b"HERE", text))
    assert [(fault.feature, fault.reason) for fault in found] == [(0, "properties"), (1, "self_crossing")]


def test_surrogates_in_pairs_and_escaped_backslashes_are_texts_like_others() -> None:
    document = collection(feature("a", polygon(SQUARE), name="HERE")).replace(
        b"HERE", rb"\ud83d\ude00 \\ud800"
    )
    assert read_geofences(document)[0].name == "\N{GRINNING FACE} \\ud800"


@pytest.mark.parametrize(
    "part", [b"1e400", b'"\xff"', b"[" * 70 + b"]" * 70, b'{"a":' * 70 + b"1" + b"}" * 70], ids=range(4)
)
def test_properties_that_cannot_be_kept_are_refused_in_their_feature(part: bytes) -> None:
    document = collection(feature("a", polygon(SQUARE), x="HERE"), feature("b", polygon(SQUARE)))
    assert [(fault.feature, fault.reason) for fault in faults(document.replace(b'"HERE"', part))] == [
        (0, "properties")
    ]


def test_number_that_no_double_holds_is_refused_at_its_vertex() -> None:
    document = collection(feature("a", polygon([[0, 0], [77, 0], [10, 10], [0, 0]]))).replace(b"77", b"1e400")
    (fault,) = faults(document)
    assert (fault.reason, fault.ring, fault.vertex) == ("coordinates", "polygon 0 ring 0", 1)


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"null",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"type":"FeatureCollection"}',
        b'{"type":"FeatureCollection","features":{}}',
        b'{"type":"Feature","features":[]}',
        b'{"type":"FeatureCollection","features":[' + b"[" * 5000 + b"]" * 5000 + b"]}",
        collection(feature("a", polygon(SQUARE)))[:-1],
        b'{"type":1e400,"features":[]}',
    ],
    ids=range(10),
)
def test_document_that_is_no_collection_is_refused(document: bytes) -> None:
    assert all(fault.feature is None and "expected" in fault.detail for fault in faults(document))


def test_empty_collection_holds_nothing() -> None:
    assert read_geofences(collection()) == []


def test_byte_order_mark_is_passed_over() -> None:
    assert read_geofences(b"\xef\xbb\xbf" + collection()) == []


def test_single_feature_takes_the_id_it_is_asked_under_and_refuses_another() -> None:
    without = {"type": "Feature", "properties": {}, "geometry": polygon(SQUARE)}
    assert read_geofence(json.dumps(without).encode(), "a").id == "a"
    with pytest.raises(InvalidGeofences, match='id is "b": expected "a" or none'):
        read_geofence(json.dumps(feature("b", polygon(SQUARE))).encode(), "a")


def same(one: Geofence, other: Geofence) -> bool:
    return (
        (one.id, one.radius, one.properties) == (other.id, other.radius, other.properties)
        and one.geometry.geom_type == other.geometry.geom_type
        and one.geometry.equals_exact(other.geometry, 0)
    )


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=5,
)


@given(geofence=geofences, extra=values)
@settings(max_examples=100, deadline=None)
def test_feature_text_reads_back_as_the_same_geofence(geofence: Geofence, extra: object) -> None:
    geometry = shapely.segmentize(geofence.geometry, 180)  # no edge goes more than half way around the Earth
    geofence = Geofence(geofence.id, geometry, geofence.radius, {**geofence.properties, "x": extra})
    text = feature_text(geofence)
    again = read_geofence(text.encode(), geofence.id)
    assert same(again, geofence)
    assert feature_text(again) == text


def test_large_collection_with_many_faults_names_each() -> None:
    features = [feature(f"f{number}", polygon(BOW_TIE if number % 2 else SQUARE)) for number in range(2000)]
    found = faults(collection(*features))
    assert [fault.feature for fault in found] == list(range(1, 2000, 2))


def test_a_large_array_of_nothing_is_named_item_by_item_without_bloating_memory() -> None:
    code = (
        "import resource, sys\n"
        "from geofence.reading.geojson import read_geofences\n"
        "from geofence.faults import InvalidGeofences\n"
        'document = b\'{"type":"FeatureCollection","features":[\' + b"1," * (8 << 20) + b"1]}"\n'
        "try:\n"
        "    read_geofences(document)\n"
        "except InvalidGeofences as error:\n"
        "    print(len(error.faults), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10)\n"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    faults, mebibytes = map(int, said.split())
    assert faults == MOST_FAULTS + 2
    assert mebibytes < 600


def test_feature_of_nothing_but_faults_names_a_thousand_and_says_that_it_stopped() -> None:
    found = faults(
        collection(feature("a", multipolygon(*[[BOW_TIE, BOW_TIE[1:]]] * 600)), feature("b", None))
    )
    assert [fault.reason for fault in found[-3:]] == ["not_closed", "faults", "geometry"]
    assert len(found) == 1002


def test_what_was_accepted_before_a_rule_stays_with_its_long_edges_and_without_conditions() -> None:
    ring = [[-100, 0], [100, 0], [100, 10], [-100, 10], [-100, 0]]
    feature = {
        "type": "Feature",
        "id": "wide",
        "properties": {"devices": "all of them", "maxAccuracy": "good"},
        "geometry": {"type": "Polygon", "coordinates": [ring]},
    }
    document = json.dumps(feature).encode()

    with pytest.raises(InvalidGeofences) as refused:
        read_geofence(document, "wide")
    assert {fault.reason for fault in refused.value.faults} == {"antimeridian", "devices", "accuracy"}

    kept = read_accepted_geofence(document, "wide")
    assert kept.geometry.bounds == (-100, 0, 100, 10)
    assert kept.conditions == Conditions()
    assert kept.properties == feature["properties"]


def test_what_was_never_accepted_is_refused_as_stored_too() -> None:
    with pytest.raises(InvalidGeofences):
        read_accepted_geofence(b'{"type": "Feature", "id": "a", "properties": {}, "geometry": null}', "a")
