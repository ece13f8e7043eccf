"""Country outlines of Natural Earth, 1:10 million, from npm's world-atlas (ISC; the data: public domain).

npm fetches it from the registry that it is configured for; the file is refused unless its hash is this one.
"""

import hashlib
import json
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry import MultiPolygon, Polygon

from geofence.geofence import Geofence

PACKAGE = "world-atlas@2.0.2"
SHA256 = "032e7765f2ce00edaeafec23ff22bc3b77e42987c257da944cc585b452c05b97"
LEAST = 3
"""Positions of a ring that has no area; rounding has left some."""

FOLDER = Path(__file__).parent.parent / ".overfly" / "outlines"


def country_outlines() -> list[Geofence]:
    """One geofence a country: its polygons as they are drawn, made valid and one where they overlap."""
    with tarfile.open(_fetched()) as archive:
        member = archive.extractfile("package/countries-10m.json")
        assert member is not None
        atlas = json.load(member)
    arcs = [_unrounded(arc, atlas["transform"]) for arc in atlas["arcs"]]
    geometries = [_geometry(country, arcs) for country in atlas["objects"]["countries"]["geometries"]]
    return [
        Geofence(f"country-{number}", geometry, None, {})
        for number, geometry in enumerate(geometries)
        if not geometry.is_empty
    ]


def _fetched() -> Path:
    path = FOLDER / "world-atlas-2.0.2.tgz"
    if not path.exists():
        FOLDER.mkdir(parents=True, exist_ok=True)
        command = ["npm", "pack", PACKAGE, "--silent", "--pack-destination", str(FOLDER)]
        subprocess.run(command, check=True, capture_output=True)
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != SHA256:
        raise ValueError(f"{path}: SHA-256 {found}: expected {SHA256}")
    return path


def _unrounded(arc: list[list[int]], transform: dict[str, list[float]]) -> NDArray[np.float64]:
    """An arc's positions in degrees (TopoJSON 2.1.4: differences of whole numbers, scaled and moved)."""
    degrees: NDArray[np.float64] = (
        np.cumsum(np.array(arc), axis=0) * transform["scale"] + transform["translate"]
    )
    return degrees.clip((-180, -90), (180, 90))


def _geometry(country: dict[str, Any], arcs: list[NDArray[np.float64]]) -> Polygon | MultiPolygon:
    many = country["arcs"] if country["type"] == "MultiPolygon" else [country["arcs"]]
    rings = ([_ring(numbers, arcs) for numbers in polygon] for polygon in many)
    drawn = ([ring for ring in polygon if len(ring) > LEAST] for polygon in rings)
    polygons = [Polygon(polygon[0], polygon[1:]) for polygon in drawn if polygon]
    valid = shapely.get_parts(shapely.make_valid(np.array(polygons)))
    return shapely.union_all(valid[shapely.get_dimensions(valid) == 2])


def _ring(numbers: list[int], arcs: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Arcs one after the other; ~n is arc n backwards (TopoJSON 2.1.4)."""
    return np.concatenate([arcs[number] if number >= 0 else arcs[~number][::-1] for number in numbers])
