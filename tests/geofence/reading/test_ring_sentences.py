"""The whole sentence of each fault that a point or a ring by itself can have."""

import json
import math

import pytest

from geofence.faults import InvalidGeofences
from geofence.reading.geojson import read_geofence
from tests.geofence.reading.squares import SQUARE, box


@pytest.mark.parametrize(
    ("kind", "coordinates", "reason", "sentence"),
    [
        (
            "Point",
            None,
            "coordinates",
            "coordinates: expected [longitude, latitude], two numbers of degrees",
        ),
        (
            "Point",
            [1],
            "coordinates",
            "coordinates of fewer than two numbers: expected [longitude, latitude], two numbers of degrees",
        ),
        (
            "Point",
            ["1", "2"],
            "coordinates",
            "coordinates: expected [longitude, latitude], two numbers of degrees",
        ),
        (
            "Point",
            [181, 0],
            "out_of_bounds",
            "longitude 181: expected -180..180; subtract 360 from each longitude: -179 would fit",
        ),
        (
            "Point",
            [0, -91],
            "out_of_bounds",
            "latitude -91: expected -90..90 (longitude comes first); swap longitude and latitude: [-91, 0] "
            "would fit",
        ),
        (
            "Point",
            [180, 91],
            "out_of_bounds",
            "latitude 91: expected -90..90 (longitude comes first); end the ring at the pole, latitude -90 "
            "or 90",
        ),
        (
            "Point",
            [47, 95],
            "out_of_bounds",
            "latitude 95: expected -90..90 (longitude comes first); swap longitude and latitude: [95, 47] "
            "would fit",
        ),
        (
            "Point",
            [2600000, 1200000],
            "out_of_bounds",
            "longitude 2600000: expected -180..180; send degrees on WGS84, not metres of a map projection",
        ),
        (
            "Polygon",
            None,
            "coordinates",
            "polygon 0: expected an array of rings",
        ),
        (
            "Polygon",
            [],
            "too_few",
            "polygon 0 is empty: expected its shell, then its holes",
        ),
        (
            "Polygon",
            5,
            "coordinates",
            "polygon 0: expected an array of rings",
        ),
        (
            "Polygon",
            [5],
            "coordinates",
            "polygon 0 ring 0: ring: expected an array of positions",
        ),
        (
            "Polygon",
            [[]],
            "too_few",
            "polygon 0 ring 0: ring with 0 positions: expected 4 or more, the last equal to the first; for "
            "a place without an area send a Point with properties.radius",
        ),
        (
            "Polygon",
            [SQUARE[:3]],
            "too_few",
            "polygon 0 ring 0: ring with 3 positions: expected 4 or more, the last equal to the first; add "
            "[0, 0] as last position",
        ),
        (
            "Polygon",
            [SQUARE[:2]],
            "too_few",
            "polygon 0 ring 0: ring with 2 positions: expected 4 or more, the last equal to the first; for "
            "a place without an area send a Point with properties.radius",
        ),
        (
            "Polygon",
            [SQUARE[:4]],
            "not_closed",
            "polygon 0 ring 0, vertex 3: ring ends at [0, 10]: expected its first position again; add [0, "
            "0] as last position",
        ),
        (
            "Polygon",
            [[*SQUARE[:4], [0, 1e-07]]],
            "not_closed",
            "polygon 0 ring 0, vertex 4: ring ends at [0, 1e-07]: expected its first position again; make "
            "[0, 0] the last position",
        ),
        (
            "Polygon",
            [[[0, 0], [1], [1, 1], [0, 0]]],
            "coordinates",
            "polygon 0 ring 0, vertex 1: position of fewer than two numbers: expected [longitude, "
            "latitude], two numbers of degrees",
        ),
        (
            "Polygon",
            [[[0, 0], ["x", 1], [1, 1], [0, 0]]],
            "coordinates",
            "polygon 0 ring 0, vertex 1: position: expected [longitude, latitude], two numbers of degrees",
        ),
        (
            "Polygon",
            [[[0, 0], [math.nan, 1], [1, 1], [0, 0]]],
            "coordinates",
            "polygon 0 ring 0, vertex 1: position: expected [longitude, latitude], two numbers of degrees, "
            "each finite and no greater than a double can hold",
        ),
        (
            "Polygon",
            [box(182, -19, 5)],
            "out_of_bounds",
            "polygon 0 ring 0, vertex 0: longitude 182: expected -180..180 (beyond bounds: this vertex and "
            "4 others of the ring); subtract 360 from each longitude: -178 would fit",
        ),
        (
            "Polygon",
            [box(-187, -19, 5)],
            "out_of_bounds",
            "polygon 0 ring 0, vertex 0: longitude -187: expected -180..180 (beyond bounds: this vertex and"
            " 4 others of the ring); add 360 to each longitude: 173 would fit",
        ),
        (
            "Polygon",
            [box(177, -19, 5)],
            "out_of_bounds",
            "polygon 0 ring 0, vertex 1: longitude 182: expected -180..180 (beyond bounds: this vertex and "
            "1 other of the ring); cut the polygon at the antimeridian as RFC 7946 section 3.1.9 says: "
            "beyond it 182 is -178",
        ),
        (
            "Polygon",
            [box(-182, -19, 5)],
            "out_of_bounds",
            "polygon 0 ring 0, vertex 0: longitude -182: expected -180..180 (beyond bounds: this vertex and"
            " 2 others of the ring); cut the polygon at the antimeridian as RFC 7946 section 3.1.9 says: "
            "beyond it -182 is 178",
        ),
        (
            "Polygon",
            [[[0, 0], [0.5, 90.1], [1, 0], [0, 0]]],
            "out_of_bounds",
            "polygon 0 ring 0, vertex 1: latitude 90.1: expected -90..90 (longitude comes first); swap "
            "longitude and latitude: [90.1, 0.5] would fit; or end the ring at the pole, latitude -90 or 90",
        ),
        (
            "Polygon",
            [box(2600000, 1200000, 5)],
            "out_of_bounds",
            "polygon 0 ring 0, vertex 0: longitude 2600000: expected -180..180 (beyond bounds: this vertex "
            "and 4 others of the ring); send degrees on WGS84, not metres of a map projection",
        ),
        (
            "Polygon",
            [[[0, 0], [181, 0], [5, 5], [0, 0]]],
            "out_of_bounds",
            "polygon 0 ring 0, vertex 1: longitude 181: expected -180..180; cut the polygon at the "
            "antimeridian as RFC 7946 section 3.1.9 says: beyond it 181 is -179",
        ),
        (
            "Polygon",
            [[[0, 0], [5, 5], [10, 10], [0, 0]]],
            "too_few",
            "polygon 0 ring 0, vertex 0: ring without an area: expected at least three different vertices, "
            "not all on one line; for a place without an area send a Point with properties.radius",
        ),
        (
            "Polygon",
            [[[0, 0], [10, 10], [10, 0], [0, 10], [0, 0]]],
            "self_crossing",
            "polygon 0 ring 0, vertex 0: ring crosses or touches itself near [5, 5], where edges from "
            "vertex 0 to 1 and from 2 to 3 meet: expected a ring that does not; exchange vertices 1 and 2",
        ),
        (
            "Polygon",
            [[[177, -19], [-178, -20], [-178, -16], [177, -16], [177, -19]]],
            "antimeridian",
            "polygon 0 ring 0, vertex 0: the edge from [177, -19] to [-178, -20], over 355 degrees of "
            "longitude, goes the long way around the Earth, and 1 other of this ring too: expected at most "
            "180; cut the polygon at the antimeridian as RFC 7946 section 3.1.9 says, this edge at [180, "
            "-19.6] and [-180, -19.6]; if the long way is meant, add [-0.5, -19.5] between the two",
        ),
        (
            "Polygon",
            [[[170, 10], [-170, 10], [0, 5], [170, 10]]],
            "antimeridian",
            "polygon 0 ring 0, vertex 0: the edge from [170, 10] to [-170, 10], over 340 degrees of "
            "longitude, goes the long way around the Earth: expected at most 180; to go around the pole put"
            " [180, 10], [180, 90], [-180, 90], [-180, 10] between the two; if the long way is meant, add "
            "[0, 10] between the two",
        ),
        (
            "Polygon",
            [[[0, 66], [90, 66], [170, 66], [-90, 66], [0, 66]]],
            "antimeridian",
            "polygon 0 ring 0, vertex 2: the edge from [170, 66] to [-90, 66], over 260 degrees of "
            "longitude, goes the long way around the Earth: expected at most 180; to go around the pole put"
            " [180, 66], [180, 90], [-180, 90], [-180, 66] between the two; if the long way is meant, add "
            "[40, 66] between the two",
        ),
        (
            "Polygon",
            [[[-170, 10], [175, 12], [175, 14], [-170, 10]]],
            "antimeridian",
            "polygon 0 ring 0, vertex 0: the edge from [-170, 10] to [175, 12], over 345 degrees of "
            "longitude, goes the long way around the Earth, and 1 other of this ring too: expected at most "
            "180; cut the polygon at the antimeridian as RFC 7946 section 3.1.9 says, this edge at [-180, "
            "11.33333333] and [180, 11.33333333]; if the long way is meant, add [2.5, 11] between the two",
        ),
    ],
)
def test_fault_of_a_point_or_a_ring_is_told_with_what_was_expected_and_what_would_repair_it(
    kind: str, coordinates: object, reason: str, sentence: str
) -> None:
    geometry = {"type": kind, "coordinates": coordinates}
    feature = {"type": "Feature", "id": "f", "properties": {"radius": 5}, "geometry": geometry}
    with pytest.raises(InvalidGeofences) as caught:
        read_geofence(json.dumps(feature).encode(), "f")
    (fault,) = caught.value.faults
    place = "feature (id f): " if fault.ring is None else "feature (id f), "
    assert (fault.reason, str(fault)) == (reason, place + sentence)


def test_a_point_may_have_an_altitude_which_is_left_out() -> None:
    geometry = {"type": "Point", "coordinates": [95, 47, 500]}
    feature = {"type": "Feature", "id": "f", "properties": {"radius": 5}, "geometry": geometry}
    point = read_geofence(json.dumps(feature).encode(), "f").geometry
    assert (point.x, point.y, point.has_z) == (95, 47, False)
