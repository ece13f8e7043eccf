"""What each operation of Amazon Location's API needs, and what else is sent as Amazon's services have it.

Methods and paths are those of its model; names in braces are members of the request. Lists of trackers and
collections show what the caller may touch; a tracker that is created must have the caller's tags.
"""

from typing import Final

from service.access.caller import Scope
from service.access.rules import Audited, Kind, Named, Rule, Touched
from service.api.bodies import MEBIBYTE
from service.location.bodies import most_bytes
from service.location.model import MODEL

TRACKER: Final = Touched(Kind.TRACKER, Named.IN_PATH, "TrackerName")
COLLECTION: Final = Touched(Kind.COLLECTION, Named.IN_PATH, "CollectionName")
CONSUMER: Final = Touched(Kind.COLLECTION, Named.BY_ARN, "ConsumerArn")
RESOURCE: Final = Touched(None, Named.BY_ARN, "ResourceArn")
FED: Final = Touched(Kind.TRACKER, Named.BY_DEFAULT, "tracker")

READ, WRITE, ADMIN = Scope.READ, Scope.WRITE, Scope.ADMIN
NOT, EACH, GATHERED = Audited.NOT, Audited.EACH, Audited.GATHERED

_TABLE: Final = (
    ("CreateTracker", ADMIN, EACH, ()),
    ("DescribeTracker", READ, NOT, (TRACKER,)),
    ("UpdateTracker", ADMIN, EACH, (TRACKER,)),
    ("DeleteTracker", ADMIN, EACH, (TRACKER,)),
    ("ListTrackers", READ, NOT, ()),
    ("AssociateTrackerConsumer", ADMIN, EACH, (TRACKER,)),
    (
        "DisassociateTrackerConsumer",
        ADMIN,
        EACH,
        (TRACKER, CONSUMER),
    ),
    ("ListTrackerConsumers", READ, NOT, (TRACKER,)),
    ("BatchUpdateDevicePosition", WRITE, GATHERED, (TRACKER,)),
    ("GetDevicePosition", READ, NOT, (TRACKER,)),
    ("BatchGetDevicePosition", READ, NOT, (TRACKER,)),
    (
        "GetDevicePositionHistory",
        READ,
        NOT,
        (TRACKER,),
    ),
    ("ListDevicePositions", READ, NOT, (TRACKER,)),
    ("BatchDeleteDevicePositionHistory", ADMIN, EACH, (TRACKER,)),
    ("VerifyDevicePosition", READ, NOT, (TRACKER,)),
    ("CreateGeofenceCollection", ADMIN, EACH, ()),
    ("DescribeGeofenceCollection", READ, NOT, (COLLECTION,)),
    ("UpdateGeofenceCollection", ADMIN, EACH, (COLLECTION,)),
    ("DeleteGeofenceCollection", ADMIN, EACH, (COLLECTION,)),
    ("ListGeofenceCollections", READ, NOT, ()),
    ("PutGeofence", WRITE, EACH, (COLLECTION,)),
    ("BatchPutGeofence", WRITE, EACH, (COLLECTION,)),
    ("GetGeofence", READ, NOT, (COLLECTION,)),
    ("ListGeofences", READ, NOT, (COLLECTION,)),
    ("BatchDeleteGeofence", WRITE, EACH, (COLLECTION,)),
    ("BatchEvaluateGeofences", WRITE, GATHERED, (COLLECTION,)),
    ("ForecastGeofenceEvents", READ, NOT, (COLLECTION,)),
    ("TagResource", ADMIN, EACH, (RESOURCE,)),
    ("UntagResource", ADMIN, EACH, (RESOURCE,)),
    ("ListTagsForResource", READ, NOT, (RESOURCE,)),
)

TOGETHER: Final = {"BatchUpdateDevicePosition", "BatchEvaluateGeofences"}

BEYOND: Final = MEBIBYTE
"""Bytes that are read beyond what an operation takes, which is to say itself that its body is too long."""

LOCATION: Final = tuple(
    Rule(
        MODEL.operations[operation].method,
        MODEL.operations[operation].path,
        operation,
        scope,
        touches,
        audited,
        body=most_bytes(operation) + BEYOND,
        amazon=True,
        together=operation in TOGETHER,
    )
    for operation, scope, audited, touches in _TABLE
)

IOT_PUBLISH: Final = Rule(
    "POST", "/topics/{topic+}", "Publish", WRITE, (FED,), GATHERED, body=MEBIBYTE, amazon=True
)
"""AWS IoT Core's publish over HTTPS, which feeds the tracker that messages feed."""
