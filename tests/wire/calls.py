"""A call of each operation that succeeds, and calls that meet the errors that it declares.

They stand on what `prepared` makes, each on something of its own where it takes it away.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from tests.services import Overfly

HOME: Final = "arn:aws:geo:us-east-1:000000000000:"
NOW: Final = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=1)
RING: Final = [[7.0, 46.0], [8.0, 46.0], [8.0, 47.0], [7.0, 47.0], [7.0, 46.0]]
NOBODY: Final = "nobody"
BAD: Final = "a b"
"""A name that no pattern of the model takes, and that clients do not look at."""

Members = Mapping[str, Any]


@dataclass(frozen=True)
class Call:
    """Of an operation: members that succeed, and members by the error that they meet."""

    succeeds: Members
    fails: Mapping[str, Members] = field(default_factory=dict)


def arn(kind: str, name: str) -> str:
    return f"{HOME}{kind}/{name}"


def at(seconds: int = 0) -> str:
    return (NOW + timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")


def _named(member: str, name: str, **more: Any) -> Call:
    """Of what is named by one member: NOBODY is not found, BAD is no name."""
    return Call(
        {member: name, **more},
        {
            "ResourceNotFoundException": {member: NOBODY, **more},
            "ValidationException": {member: BAD, **more},
        },
    )


def _listed(**more: Any) -> Call:
    return Call({"MaxResults": 1, **more}, {"ValidationException": {**more, "NextToken": NOBODY}})


UPDATE: Final = {"DeviceId": "d1", "SampleTime": at(), "Position": [7.5, 46.5]}
GEOMETRY: Final = {"Polygon": [RING]}
TRACKER, COLLECTION = "TrackerName", "CollectionName"
_linked = arn("geofence-collection", "linked")
_free = arn("geofence-collection", "free")

CALLS: Final[Mapping[str, Call]] = {
    "CreateTracker": Call(
        {TRACKER: "new", "Description": "x", "Tags": {"a": "b"}},
        {"ConflictException": {TRACKER: "kept"}, "ValidationException": {TRACKER: BAD}},
    ),
    "DescribeTracker": _named(TRACKER, "kept"),
    "UpdateTracker": _named(TRACKER, "kept", Description="changed"),
    "DeleteTracker": _named(TRACKER, "gone"),
    "ListTrackers": _listed(),
    "AssociateTrackerConsumer": Call(
        {TRACKER: "kept", "ConsumerArn": _free},
        {
            "ConflictException": {TRACKER: "kept", "ConsumerArn": _linked},
            "ResourceNotFoundException": {TRACKER: NOBODY, "ConsumerArn": _linked},
            "ValidationException": {TRACKER: "kept", "ConsumerArn": "linked"},
        },
    ),
    "DisassociateTrackerConsumer": Call(
        {TRACKER: "kept", "ConsumerArn": _free},
        {
            "ResourceNotFoundException": {TRACKER: "kept", "ConsumerArn": arn("geofence-collection", NOBODY)},
            "ValidationException": {TRACKER: "kept", "ConsumerArn": "linked"},
        },
    ),
    "ListTrackerConsumers": _named(TRACKER, "kept", MaxResults=1),
    "BatchUpdateDevicePosition": _named(TRACKER, "kept", Updates=[UPDATE]),
    "GetDevicePosition": Call(
        {TRACKER: "kept", "DeviceId": "d0"},
        {
            "ResourceNotFoundException": {TRACKER: "kept", "DeviceId": NOBODY},
            "ValidationException": {TRACKER: BAD, "DeviceId": "d0"},
        },
    ),
    "BatchGetDevicePosition": _named(TRACKER, "kept", DeviceIds=["d0", NOBODY]),
    "GetDevicePositionHistory": _named(TRACKER, "kept", DeviceId="d0", StartTimeInclusive=at(-3600)),
    "ListDevicePositions": _listed(TrackerName="kept"),
    "BatchDeleteDevicePositionHistory": _named(TRACKER, "kept", DeviceIds=["d9"]),
    "VerifyDevicePosition": _named(
        TRACKER, "kept", DeviceState={"DeviceId": "d0", "SampleTime": at(), "Position": [7.5, 46.5]}
    ),
    "CreateGeofenceCollection": Call(
        {COLLECTION: "new", "Description": "x", "Tags": {"a": "b"}},
        {"ConflictException": {COLLECTION: "free"}, "ValidationException": {COLLECTION: BAD}},
    ),
    "DescribeGeofenceCollection": _named(COLLECTION, "linked"),
    "UpdateGeofenceCollection": _named(COLLECTION, "linked", Description="changed"),
    "DeleteGeofenceCollection": _named(COLLECTION, "gone"),
    "ListGeofenceCollections": _listed(),
    "PutGeofence": _named(COLLECTION, "linked", GeofenceId="g1", Geometry=GEOMETRY),
    "BatchPutGeofence": _named(COLLECTION, "linked", Entries=[{"GeofenceId": "g2", "Geometry": GEOMETRY}]),
    "GetGeofence": _named(COLLECTION, "linked", GeofenceId="g0"),
    "ListGeofences": _named(COLLECTION, "linked", MaxResults=1),
    "BatchDeleteGeofence": _named(COLLECTION, "linked", GeofenceIds=["g9"]),
    "BatchEvaluateGeofences": _named(COLLECTION, "linked", DevicePositionUpdates=[UPDATE]),
    "ForecastGeofenceEvents": _named(
        COLLECTION, "linked", DeviceState={"Position": [7.5, 46.5], "Speed": 90.0}, TimeHorizonMinutes=60.0
    ),
    "TagResource": Call(
        {"ResourceArn": arn("tracker", "kept"), "Tags": {"team": "north"}},
        {
            "ResourceNotFoundException": {"ResourceArn": arn("tracker", NOBODY), "Tags": {}},
            "ValidationException": {"ResourceArn": arn("tracker", "kept"), "Tags": {"aws:x": "y"}},
        },
    ),
    "UntagResource": Call(
        {"ResourceArn": arn("tracker", "kept"), "TagKeys": ["team"]},
        {
            "ResourceNotFoundException": {"ResourceArn": arn("tracker", NOBODY), "TagKeys": ["team"]},
            "ValidationException": {"ResourceArn": arn("tracker", "kept"), "TagKeys": ["aws:x"]},
        },
    ),
    "ListTagsForResource": Call(
        {"ResourceArn": arn("geofence-collection", "linked")},
        {
            "ResourceNotFoundException": {"ResourceArn": arn("geofence-collection", NOBODY)},
            "ValidationException": {"ResourceArn": "kept"},
        },
    ),
}
"""In the order in which they are called: what one makes, another takes away."""


def prepared(overfly: Overfly) -> None:
    """Makes what the calls stand on, and takes away what they made before."""
    overfly.delete("/v1/trackers/kept/collections/linked", "/v1/trackers/kept/collections/free")
    overfly.delete(*(f"/v1/trackers/{name}" for name in ("new", "kept", "gone")))
    overfly.delete(*(f"/v1/collections/{name}" for name in ("new", "linked", "free", "gone")))
    for name in ("kept", "gone"):
        overfly.post("/v1/trackers", {"trackerName": name})
    for name in ("linked", "free", "gone"):
        overfly.post("/v1/collections", {"collectionName": name})
    overfly.put_link("kept", "linked")
    square = {"type": "Polygon", "coordinates": [RING]}
    feature = {"type": "Feature", "id": "g0", "properties": {}, "geometry": square}
    overfly.post("/v1/geofences?collection=linked", {"type": "FeatureCollection", "features": [feature]})
    fix = {"deviceId": "d0", "timestamp": at(-60), "longitude": 7.5, "latitude": 46.5}
    overfly.post("/v1/positions?tracker=kept", fix)
