"""Geofences as GeoJSON (RFC 7946): read with every fault named, written so that it reads back the same."""

import json
import re
from collections.abc import Iterator
from io import BytesIO

import msgspec
import shapely
from shapely.geometry import MultiPolygon, Polygon

from geofence.faults import FeatureFaults, GeofenceFault, InvalidGeofences
from geofence.geofence import Geofence
from geofence.reading.feature import read_feature, reading_fault
from geofence.reading.json_values import ABSENT, value_of
from geofence.reading.overlooked import refuse_misplaced


def read_geofences(document: bytes) -> list[Geofence]:
    """The geofences of a FeatureCollection, in its order.

    Raises InvalidGeofences, and nothing else whatever the bytes, with every fault of every feature.
    """
    geofences: list[Geofence] = []
    found: list[GeofenceFault] = []
    seen: dict[str, int] = {}
    for number, raw in enumerate(_features(document)):
        geofence, faults = read_feature(raw, number)
        if faults.geofence_id is not None:
            first = seen.setdefault(faults.geofence_id, number)
            if first != number:
                faults.add("duplicate_id", f"feature {first} has this id too: expected each id once")
        found += faults.found
        if len(found) > MOST_FAULTS:
            raise InvalidGeofences(
                [*found, GeofenceFault("faults", f"reading stopped after {len(found)} faults")]
            )
        if geofence is not None:
            geofences.append(geofence)
    if found:
        raise InvalidGeofences(found)
    return geofences


def read_geofence(document: bytes, geofence_id: str) -> Geofence:
    """The geofence of one Feature, whose id is `geofence_id` or absent. Raises InvalidGeofences only."""
    return _read_one(document, geofence_id, accepted=False)


def read_accepted_geofence(document: bytes, geofence_id: str) -> Geofence:
    """The same of a Feature that was accepted once: rules that came later do not refuse it.

    Its long edges are taken as they stand; a condition that cannot be read is a property like any other.
    """
    return _read_one(document, geofence_id, accepted=True)


def _read_one(document: bytes, geofence_id: str, *, accepted: bool) -> Geofence:
    geofence, faults = read_feature(_readable(document), None, geofence_id, accepted=accepted)
    if geofence is None:
        raise InvalidGeofences(faults.found)
    return geofence


def feature_text(geofence: Geofence) -> str:
    """The geofence as a compact Feature, from which `read_geofence` makes the same geofence again."""
    feature = {
        "type": "Feature",
        "id": geofence.id,
        "properties": geofence.properties,
        "geometry": {"type": geofence.geometry.geom_type, "coordinates": _coordinates(geofence)},
    }
    return msgspec.json.encode(feature).decode()


MOST_FAULTS = 100_000
"""More than anyone reads; a document that has them has a cause that the first of them show."""


def _features(document: bytes) -> Iterator[msgspec.Raw]:
    """Each feature, still as text, so that a large document is taken apart one feature at a time."""
    faults = FeatureFaults()
    try:
        collection = msgspec.json.decode(_readable(document), type=dict[str, msgspec.Raw])
    except (ValueError, RecursionError) as error:
        faults.add("malformed", f"{reading_fault(error)}: expected a GeoJSON FeatureCollection")
        raise InvalidGeofences(faults.found) from None
    if value_of(collection.get("type", ABSENT)) != "FeatureCollection":
        faults.add("not_a_collection", 'document of another type: expected "FeatureCollection"')
    refuse_misplaced(collection, "beside the features", "in each of them, properties", faults)
    features = bytes(collection.get("features", ABSENT))
    if not features.startswith(b"["):
        faults.add("not_a_collection", "features: expected an array of Features")
    if faults.found:
        raise InvalidGeofences(faults.found)
    try:
        yield from _items(features.decode(errors="surrogateescape"))
    except (ValueError, RecursionError) as error:
        faults.add("malformed", f"{reading_fault(error)}: expected a GeoJSON FeatureCollection")
        raise InvalidGeofences(faults.found) from None


BETWEEN_ITEMS = re.compile(r"[\s,]*")
ITEM = json.JSONDecoder(parse_int=float, strict=False)
"""Finds where an item ends. A list[msgspec.Raw] would do too, but 64 MiB of `1,` would take 2 GiB."""


def _items(array: str) -> Iterator[msgspec.Raw]:
    """Each item of the text of an array known to be one; bytes that are not UTF-8 stay as they are."""
    place = _behind(BETWEEN_ITEMS, array, 1)
    while array[place] != "]":
        _, end = ITEM.raw_decode(array, place)
        yield msgspec.Raw(array[place:end].encode(errors="surrogateescape"))
        place = _behind(BETWEEN_ITEMS, array, end)


def _behind(pattern: re.Pattern[str], text: str, place: int) -> int:
    match = pattern.match(text, place)
    return place if match is None else match.end()


NO_NUMBER = re.compile(rb'"(?:[^"\\]|\\.)*+"?|(-?(?:NaN|Infinity))', re.DOTALL)
"""A text, which is passed over, or (group 1) what some writers put for a number that is none."""

OUT_OF_RANGE = b"1e999"

LONE_SURROGATE = re.compile(
    rb"\\\\|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(\\u[dD][89a-fA-F][0-9a-fA-F]{2})"
)
"""An escaped backslash or a pair of surrogates, which are passed over, or (group 1) half a pair."""


def _readable(document: bytes) -> bytes:
    """The document with lone surrogates as NUL, and NaN and Infinity as a number that no double holds.

    Both are refused in the feature, ring and vertex that have them. msgspec refuses the originals too, but
    with them the whole document.
    """
    document = document.removeprefix(b"\xef\xbb\xbf")
    if b"NaN" in document or b"Infinity" in document:
        document = _with_groups_replaced(NO_NUMBER, document, OUT_OF_RANGE)
    if b"\\ud" not in document and b"\\uD" not in document:
        return document
    return _with_groups_replaced(LONE_SURROGATE, document, rb"\u0000")


def _with_groups_replaced(pattern: re.Pattern[bytes], document: bytes, replacement: bytes) -> bytes:
    """Group 1 of each match replaced. `sub` would keep a list of all that is passed over."""
    written, text, last = BytesIO(), memoryview(document), 0
    for match in pattern.finditer(document):
        if match[1] is not None:
            written.write(text[last : match.start(1)])
            written.write(replacement)
            last = match.end(1)
    written.write(text[last:])
    return written.getvalue()


def _coordinates(geofence: Geofence) -> list[object]:
    match geofence.geometry:
        case Polygon() as polygon:
            return _rings(polygon)
        case MultiPolygon() as multipolygon:
            return [_rings(polygon) for polygon in multipolygon.geoms]
        case point:
            return [point.x, point.y]


def _rings(polygon: Polygon) -> list[object]:
    return [shapely.get_coordinates(ring).tolist() for ring in (polygon.exterior, *polygon.interiors)]
