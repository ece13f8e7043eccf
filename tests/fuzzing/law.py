"""What holds whatever the bytes: they are geofences, or faults that name what is wrong; nothing else.

What was read can be asked, and answers as the reference does; and its own text reads back the same.
"""

import math
import re
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import shapely

from geofence.faults import GeofenceFault, InvalidGeofences
from geofence.geofence import Geofence
from geofence.index.geofence_index import GeofenceIndex
from geofence.reading.geojson import feature_text, read_accepted_geofence, read_geofence, read_geofences
from tests.geofence.reference import containment_pairs

Position = tuple[float, float]

ANYWHERE: list[Position] = [(0.0, 0.0), (180.0, 0.0), (-180.0, 90.0), (45.0, -90.0), (8.55, 47.45)]

GREATEST_DETAIL = 1_000
"""Characters: what a fault quotes of a document is cut."""

VERTICES_ASKED, VERTICES_COMPARED = 6, 300
"""The reference works in fractions, vertex by vertex."""


def hold(document: bytes) -> None:
    """Read bytes as all that they could be: a collection, what stands in one, a feature stored long ago.

    An AssertionError or any other exception is a finding.
    """
    ask(_read(lambda: read_geofences(document)))
    ask(_read(lambda: read_geofences(b'{"type":"FeatureCollection","features":[' + document + b"]}")))
    ask(_read(lambda: [read_accepted_geofence(document, "a")]), accepted=True)


def ask(geofences: Sequence[Geofence], *, accepted: bool = False) -> None:
    """Ask geofences for positions, and read each one's text again."""
    index = GeofenceIndex(dict(enumerate(geofences, 1)))
    compared = {
        key: each
        for key, each in enumerate(geofences, 1)
        if shapely.get_num_coordinates(each.geometry) <= VERTICES_COMPARED
    }
    positions = ANYWHERE + [position for each in compared.values() for position in _positions_of(each)]
    found = index.containing(*np.array(positions).T)
    pairs = zip(found.position.tolist(), found.geofence.tolist(), strict=True)
    answered = [(position, key) for position, key in pairs if key in compared]
    assert answered == containment_pairs(compared, positions)
    for geofence in geofences:
        reads_back(geofence, accepted=accepted)


def reads_back(geofence: Geofence, *, accepted: bool) -> None:
    """A geofence's text is the geofence's again."""
    read = read_accepted_geofence if accepted else read_geofence
    text = feature_text(geofence)
    again = read(text.encode(), geofence.id)
    assert (again.id, again.radius, again.conditions) == (geofence.id, geofence.radius, geofence.conditions)
    assert again.properties == geofence.properties
    assert again.geometry.equals_exact(geofence.geometry, 0)
    assert feature_text(again) == text


def _read(reader: Callable[[], list[Geofence]]) -> list[Geofence]:
    try:
        return reader()
    except InvalidGeofences as error:
        assert error.faults
        str(error).encode()  # can be sent
        for fault in error.faults:
            _names_what_is_wrong(fault)
        return []


def _names_what_is_wrong(fault: GeofenceFault) -> None:
    assert re.fullmatch("[a-z_]{2,20}", fault.reason)
    assert "expected" in fault.detail or fault.reason == "faults", fault.detail
    assert len(fault.detail) <= GREATEST_DETAIL, fault.detail
    assert fault.vertex is None or fault.ring is not None


def _positions_of(geofence: Geofence) -> Iterator[Position]:
    """Some vertices, or the centre, and beside each the next double."""
    for longitude, latitude in shapely.get_coordinates(geofence.geometry)[:VERTICES_ASKED].tolist():
        yield longitude, latitude
        yield math.nextafter(longitude, 0), math.nextafter(latitude, 0)
