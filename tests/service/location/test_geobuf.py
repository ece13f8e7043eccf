"""Geobuf: what the reference encoder writes reads back; whatever else the bytes, there is a fault in time."""

import base64
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from service.location.geobuf import GeobufFault, decode_geobuf
from tests.service.location.geobufs import encoded_geobuf

REFERENCE: dict[str, tuple[str, str, Any]] = {
    "a polygon": (
        "1800320c08041a080000140000141300",
        "Polygon",
        [[[[0, 0], [10, 0], [10, 10], [0, 10], [0, 0]]]],
    ),
    "a hole": (
        "1802321c0804120204041a14a30dea493200003231008f0df449001414000013",
        "Polygon",
        [
            [
                [[-8.5, 47.25], [-8.25, 47.25], [-8.25, 47.5], [-8.5, 47.5], [-8.5, 47.25]],
                [[-8.4, 47.3], [-8.4, 47.4], [-8.3, 47.4], [-8.3, 47.3], [-8.4, 47.3]],
            ]
        ],
    ),
    "six decimals, which are not written": (
        "321408041a1080d1df07c0c1f52c80ac090000c09a0c",
        "Polygon",
        [[[[8.123456, 47.1], [8.2, 47.1], [8.2, 47.2], [8.123456, 47.1]]]],
    ),
    "a multipolygon of one ring": (
        "1800320a08051a06000002000002",
        "MultiPolygon",
        [[[[0, 0], [1, 0], [1, 1], [0, 0]]]],
    ),
    "a multipolygon": (
        "18013220080512060201030204031a1400001400001428282800002827003232000a0a00",
        "MultiPolygon",
        [
            [[[0, 0], [1, 0], [1, 1], [0, 0]]],
            [
                [[2, 2], [4, 2], [4, 4], [2, 4], [2, 2]],
                [[2.5, 2.5], [2.5, 3], [3, 3], [2.5, 2.5]],
            ],
        ],
    ),
}
"""What the package geobuf 3.0.2 of npm, which is mapbox's, makes of these geometries."""


@pytest.mark.parametrize("written, kind, polygons", REFERENCE.values(), ids=REFERENCE.keys())
def test_what_the_reference_encoder_writes_is_read(written: str, kind: str, polygons: Any) -> None:
    assert decode_geobuf(bytes.fromhex(written)) == (kind, polygons)


REFUSED = {
    "0a016118002a140a0a08041a060000020000026a02180172020000": "a Feature or FeatureCollection",
    "1800320608001a020204": "geometry of type 0",
    "10031800320d08041a0900000a140000001400": "3 dimensions",
    "": "no geometry",
    "1800": "no geometry",
    "18ffffffff0f320c08041a080000140000141300": "precision 4294967295",
    "10ffffffff0f320c08041a080000140000141300": "4294967295 dimensions",
    "1800320c08041a0800001400001413": "in the middle",
    "1800320c08041a08000014000014ffff": "in the middle",
    "180032100804120204041a080000140000141300": "expected 16 for the lengths",
    "180032130804120504ffffff7f1a080000140000141300": "expected 536870918 for the lengths",
    "18003211080512030501041a080000140000141300": "not those of 5 polygons",
    "1800320b08041a0700001400001413": "7 coordinates",
    "07": "no Geobuf",
    "00": "no Geobuf",
    "ffffffffffffffffffffffff": "no Geobuf",
}


@pytest.mark.parametrize("written, problem", REFUSED.items())
def test_what_is_no_polygon_is_refused_in_words(written: str, problem: str) -> None:
    with pytest.raises(GeobufFault, match=problem):
        decode_geobuf(bytes.fromhex(written))


def test_numbers_that_come_one_by_one_and_a_geometry_in_pieces_are_read() -> None:
    pieces = ["1800", "32020804", "3208180018001814 1800", "3204 1a020014", "3204 18131800"]
    assert decode_geobuf(bytes.fromhex("".join(pieces))).polygons == [
        [[[0, 0], [10, 0], [10, 10], [0, 10], [0, 0]]]
    ]


decimals = st.integers(0, 12)
steps = st.tuples(st.integers(-180 * 10**12, 180 * 10**12), st.integers(-90 * 10**12, 90 * 10**12))
rings = st.lists(steps, min_size=3, max_size=6)
polygons = st.lists(rings, min_size=1, max_size=3)


@given(decimals, st.lists(polygons, min_size=1, max_size=3), st.booleans())
def test_every_whole_number_of_decimals_reads_back_as_the_nearest_double(
    precision: int, parts: list[Any], single: bool
) -> None:
    scale = 10**precision
    expected = [
        [[[x / scale, y / scale] for x, y in (*ring, ring[0])] for ring in polygon] for polygon in parts
    ]
    kind = "Polygon" if single else "MultiPolygon"
    used, expected = (parts[:1], expected[:1]) if single else (parts, expected)
    assert decode_geobuf(encoded_geobuf(kind, used, precision)) == (kind, expected)


@given(
    st.binary(max_size=60)
    | st.sampled_from(list(REFERENCE.values())).flatmap(
        lambda each: st.tuples(
            st.just(bytes.fromhex(each[0])), st.integers(0, 60), st.binary(max_size=4)
        ).map(lambda it: it[0][: it[1]] + it[2] + it[0][it[1] + 1 :])
    )
)
@example(base64.b64decode("MgA="))
def test_whatever_the_bytes_there_is_a_geometry_or_a_fault(data: bytes) -> None:
    try:
        decode_geobuf(data)
    except GeobufFault as fault:
        assert str(fault)


def test_half_a_megabyte_of_the_smallest_pieces_is_read_like_any_other() -> None:
    pieces = b"\x32\x01\x08" * 170_000
    with pytest.raises(GeobufFault):
        decode_geobuf(pieces)
    numbers = b"\x18\x00" * 260_000
    size = bytes([len(numbers) & 0x7F | 0x80, len(numbers) >> 7 & 0x7F | 0x80, len(numbers) >> 14])
    with pytest.raises(GeobufFault, match="type 0"):
        decode_geobuf(b"\x32" + size + numbers)


@pytest.mark.parametrize(
    ("polygons", "problem"),
    [
        ([[[]] * 200_000], "200,000 rings: expected up to 33,333"),
        ([[[(0, 0)] * 150_000]], "150,000 positions: expected up to 100,000"),
    ],
)
def test_more_than_any_geofence_has_is_refused_before_it_is_made(polygons: Any, problem: str) -> None:
    with pytest.raises(GeobufFault, match=problem):
        decode_geobuf(encoded_geobuf("Polygon", polygons, 6))
