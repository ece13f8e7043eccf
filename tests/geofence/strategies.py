"""Geofences and positions with a liking for trouble: seams, poles, corners, and neighbours by one ulp."""

import math

import shapely
from hypothesis import strategies as st
from shapely.geometry import MultiPolygon, Point, Polygon

from geofence.geofence import Geofence

LONGITUDES = (-180.0, -179.999, -90.0, -1.0, -0.0, 0.0, 1.0, 90.0, 179.999, 180.0)
LATITUDES = (-90.0, -89.999, -45.0, -1.0, 0.0, 1.0, 45.0, 89.999, 90.0)
RADII = (1e-6, 0.001, 1.0, 8_000.0, 50_000.0, 600_000.0, 3_000_000.0, 9_999_999.0, 10_000_000.0)

longitudes = st.sampled_from(LONGITUDES) | st.integers(-180, 180).map(float) | st.floats(-180, 180)
latitudes = st.sampled_from(LATITUDES) | st.integers(-90, 90).map(float) | st.floats(-90, 90)


@st.composite
def boxes(draw: st.DrawFn) -> Polygon:
    """Some with a hole in the middle, some triangles."""
    west, south = draw(st.integers(-180, 170)), draw(st.integers(-90, 80))
    east, north = draw(st.integers(west + 1, 180)), draw(st.integers(south + 1, 90))
    kind = draw(st.sampled_from(["box", "hole", "triangle"]))
    if kind == "triangle":
        return Polygon([(west, south), (east, south), (west, north)])
    shell = shapely.box(west, south, east, north)
    width, height = (east - west) / 4, (north - south) / 4
    hole = shapely.box(west + width, south + height, east - width, north - height)
    return shell.difference(hole) if kind == "hole" else shell


@st.composite
def across_antimeridian(draw: st.DrawFn) -> MultiPolygon:
    south = draw(st.integers(-90, 80))
    north = draw(st.integers(south + 1, 90))
    east, west = draw(st.integers(-179, -100)), draw(st.integers(100, 179))
    return MultiPolygon([shapely.box(west, south, 180, north), shapely.box(-180, south, east, north)])


def _polygon_geofence(geometry: Polygon | MultiPolygon) -> Geofence:
    return Geofence("area", geometry, None, {})


@st.composite
def circles(draw: st.DrawFn) -> Geofence:
    radius = draw(st.sampled_from(RADII) | st.floats(1e-9, 1e7))
    return Geofence("circle", Point(draw(longitudes), draw(latitudes)), radius, {"radius": radius})


geofences = (boxes() | across_antimeridian()).map(_polygon_geofence) | circles()


@st.composite
def positions_near(draw: st.DrawFn, near: list[Geofence]) -> tuple[float, float]:
    """Anywhere, or at a vertex or centre of a geofence, or beside one by an ulp or a little more."""
    longitude, latitude = draw(longitudes), draw(latitudes)
    if near and draw(st.booleans()):
        vertices = shapely.get_coordinates(draw(st.sampled_from(near)).geometry).tolist()
        longitude, latitude = draw(st.sampled_from(vertices))
    longitude = draw(st.sampled_from([longitude, math.nextafter(longitude, 0), longitude + 1e-6]))
    latitude = draw(st.sampled_from([latitude, math.nextafter(latitude, 0), latitude - 1e-6]))
    return min(180.0, max(-180.0, longitude)), min(90.0, max(-90.0, latitude))
