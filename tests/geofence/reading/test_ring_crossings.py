"""Which edges of a ring are said to meet, and which vertex to remove, where several could be meant."""

import json

import numpy as np
import pytest

from geofence.faults import GeofenceFault, InvalidGeofences
from geofence.reading.geojson import read_geofence
from geofence.reading.ring_faults import distances

Ring = list[list[float]]


def only_fault(ring: Ring) -> GeofenceFault:
    geometry = {"type": "Polygon", "coordinates": [ring]}
    feature = {"type": "Feature", "id": "f", "properties": {}, "geometry": geometry}
    with pytest.raises(InvalidGeofences) as caught:
        read_geofence(json.dumps(feature).encode(), "f")
    (fault,) = caught.value.faults
    return fault


@pytest.mark.parametrize(
    ("ring", "edges"),
    [
        ([[5, -1], [5, 1], [0, 0], [5, 2], [5, 4], [0, 0], [5, -1]], "from vertex 1 to 2 and from 4 to 5"),
        ([[0, 0], [5, -1], [5, 1], [0, 0], [5, 2], [5, 4], [0, 0]], "from vertex 0 to 1 and from 2 to 3"),
        (
            [[0, 0], [10, 0], [10, 5], [10.75, 5.25], [10, 5], [10, 10], [0, 0]],
            "from vertex 2 to 3 and from 3",
        ),
    ],
    ids=["touching away from its beginning", "touching at its beginning", "short spike"],
)
def test_edges_that_share_a_vertex_are_said_to_meet_only_where_they_share_more(
    ring: Ring, edges: str
) -> None:
    assert f"where edges {edges}" in only_fault(ring).detail


@pytest.mark.parametrize(
    ("ring", "vertex"),
    [
        ([[0, 0], [12, 0], [10, 0], [0, 10], [0, 0]], 1),
        ([[0, 0], [10, 0], [10, 5], [10.75, 5.25], [10, 5], [10, 10], [0, 0]], 3),
        ([[0, 0], [10, 0], [10, 5], [-5, 6], [10, 5], [10, 10], [0, 10], [0, 0]], 3),
        ([[0, 10], [0, 0], [10, 0], [10, 5], [-5, 6], [10, 5], [10, 10], [0, 10]], 4),
    ],
    ids=["leaves a triangle", "short", "across another edge", "across an edge before it"],
)
def test_spike_is_repaired_by_removing_its_tip(ring: Ring, vertex: int) -> None:
    assert only_fault(ring).detail.endswith(f"; remove vertex {vertex}")


def test_distance_to_an_edge_is_to_its_nearer_end_where_that_is_nearest() -> None:
    edges = np.array([[0.0, 0.0], [4.0, 0.0], [4.0, 8.0]])
    assert distances(edges, np.array([-3.0, 4.0])).tolist() == [5, 7]
    assert distances(edges, np.array([7.0, -4.0])).tolist() == [5, 5]
    assert distances(edges, np.array([1.0, 2.0])).tolist() == [2, 3]
