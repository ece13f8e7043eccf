"""What each operation of Amazon Location's API needs, and what else is sent as Amazon's services have it.

Paths are those of its model, the version of 2020-11-19; names in braces are members of the request. Lists
of trackers and collections show what the caller may touch; a tracker that is created must have the caller's
tags.
"""

from typing import Final

from service.access.caller import Scope
from service.access.rules import Audited, Kind, Named, Rule, Touched
from service.api.bodies import MEBIBYTE

TRACKER: Final = Touched(Kind.TRACKER, Named.IN_PATH, "TrackerName")
COLLECTION: Final = Touched(Kind.COLLECTION, Named.IN_PATH, "CollectionName")
CONSUMER: Final = Touched(Kind.COLLECTION, Named.BY_ARN, "ConsumerArn")
RESOURCE: Final = Touched(None, Named.BY_ARN, "ResourceArn")
FED: Final = Touched(Kind.TRACKER, Named.BY_DEFAULT, "tracker")

TRACKERS: Final = "/tracking/v0/trackers"
COLLECTIONS: Final = "/geofencing/v0/collections"
OF_TRACKER: Final = TRACKERS + "/{TrackerName}"
OF_COLLECTION: Final = COLLECTIONS + "/{CollectionName}"

READ, WRITE, ADMIN = Scope.READ, Scope.WRITE, Scope.ADMIN
NOT, EACH, GATHERED = Audited.NOT, Audited.EACH, Audited.GATHERED

_TABLE: Final = (
    ("CreateTracker", "POST", TRACKERS, ADMIN, EACH, ()),
    ("DescribeTracker", "GET", OF_TRACKER, READ, NOT, (TRACKER,)),
    ("UpdateTracker", "PATCH", OF_TRACKER, ADMIN, EACH, (TRACKER,)),
    ("DeleteTracker", "DELETE", OF_TRACKER, ADMIN, EACH, (TRACKER,)),
    ("ListTrackers", "POST", "/tracking/v0/list-trackers", READ, NOT, ()),
    ("AssociateTrackerConsumer", "POST", OF_TRACKER + "/consumers", ADMIN, EACH, (TRACKER,)),
    (
        "DisassociateTrackerConsumer",
        "DELETE",
        OF_TRACKER + "/consumers/{ConsumerArn}",
        ADMIN,
        EACH,
        (TRACKER, CONSUMER),
    ),
    ("ListTrackerConsumers", "POST", OF_TRACKER + "/list-consumers", READ, NOT, (TRACKER,)),
    ("BatchUpdateDevicePosition", "POST", OF_TRACKER + "/positions", WRITE, GATHERED, (TRACKER,)),
    ("GetDevicePosition", "GET", OF_TRACKER + "/devices/{DeviceId}/positions/latest", READ, NOT, (TRACKER,)),
    ("BatchGetDevicePosition", "POST", OF_TRACKER + "/get-positions", READ, NOT, (TRACKER,)),
    (
        "GetDevicePositionHistory",
        "POST",
        OF_TRACKER + "/devices/{DeviceId}/list-positions",
        READ,
        NOT,
        (TRACKER,),
    ),
    ("ListDevicePositions", "POST", OF_TRACKER + "/list-positions", READ, NOT, (TRACKER,)),
    ("BatchDeleteDevicePositionHistory", "POST", OF_TRACKER + "/delete-positions", ADMIN, EACH, (TRACKER,)),
    ("VerifyDevicePosition", "POST", OF_TRACKER + "/positions/verify", READ, NOT, (TRACKER,)),
    ("CreateGeofenceCollection", "POST", COLLECTIONS, ADMIN, EACH, ()),
    ("DescribeGeofenceCollection", "GET", OF_COLLECTION, READ, NOT, (COLLECTION,)),
    ("UpdateGeofenceCollection", "PATCH", OF_COLLECTION, ADMIN, EACH, (COLLECTION,)),
    ("DeleteGeofenceCollection", "DELETE", OF_COLLECTION, ADMIN, EACH, (COLLECTION,)),
    ("ListGeofenceCollections", "POST", "/geofencing/v0/list-collections", READ, NOT, ()),
    ("PutGeofence", "PUT", OF_COLLECTION + "/geofences/{GeofenceId}", WRITE, EACH, (COLLECTION,)),
    ("BatchPutGeofence", "POST", OF_COLLECTION + "/put-geofences", WRITE, EACH, (COLLECTION,)),
    ("GetGeofence", "GET", OF_COLLECTION + "/geofences/{GeofenceId}", READ, NOT, (COLLECTION,)),
    ("ListGeofences", "POST", OF_COLLECTION + "/list-geofences", READ, NOT, (COLLECTION,)),
    ("BatchDeleteGeofence", "POST", OF_COLLECTION + "/delete-geofences", WRITE, EACH, (COLLECTION,)),
    ("BatchEvaluateGeofences", "POST", OF_COLLECTION + "/positions", WRITE, GATHERED, (COLLECTION,)),
    ("ForecastGeofenceEvents", "POST", OF_COLLECTION + "/forecast-geofence-events", READ, NOT, (COLLECTION,)),
    ("TagResource", "POST", "/tags/{ResourceArn}", ADMIN, EACH, (RESOURCE,)),
    ("UntagResource", "DELETE", "/tags/{ResourceArn}", ADMIN, EACH, (RESOURCE,)),
    ("ListTagsForResource", "GET", "/tags/{ResourceArn}", READ, NOT, (RESOURCE,)),
)

BODIES: Final = {"PutGeofence": 4 * MEBIBYTE, "BatchPutGeofence": 16 * MEBIBYTE}
"""Above what the operations take, so that they say it in their way."""

TOGETHER: Final = {"BatchUpdateDevicePosition", "BatchEvaluateGeofences"}

LOCATION: Final = tuple(
    Rule(
        method,
        path,
        operation,
        scope,
        touches,
        audited,
        body=BODIES.get(operation, 2 * MEBIBYTE),
        amazon=True,
        together=operation in TOGETHER,
    )
    for operation, method, path, scope, audited, touches in _TABLE
)

IOT_PUBLISH: Final = Rule(
    "POST", "/topics/{topic+}", "Publish", WRITE, (FED,), GATHERED, body=MEBIBYTE, amazon=True
)
"""AWS IoT Core's publish over HTTPS, which feeds the tracker that messages feed."""
