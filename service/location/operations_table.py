"""Writes operations.json from botocore's model of the service: `python -m service.location.operations_table`.

The table holds what a server needs: paths, members, constraints, errors with their statuses, and no prose. A
test holds it against the botocore that is installed.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec
from botocore.loaders import Loader

from service.location.model import TABLE

OPERATIONS: Final = (
    "CreateTracker",
    "DescribeTracker",
    "UpdateTracker",
    "DeleteTracker",
    "ListTrackers",
    "AssociateTrackerConsumer",
    "DisassociateTrackerConsumer",
    "ListTrackerConsumers",
    "BatchUpdateDevicePosition",
    "GetDevicePosition",
    "BatchGetDevicePosition",
    "GetDevicePositionHistory",
    "ListDevicePositions",
    "BatchDeleteDevicePositionHistory",
    "VerifyDevicePosition",
    "CreateGeofenceCollection",
    "DescribeGeofenceCollection",
    "UpdateGeofenceCollection",
    "DeleteGeofenceCollection",
    "ListGeofenceCollections",
    "PutGeofence",
    "BatchPutGeofence",
    "GetGeofence",
    "ListGeofences",
    "BatchDeleteGeofence",
    "BatchEvaluateGeofences",
    "ForecastGeofenceEvents",
    "TagResource",
    "UntagResource",
    "ListTagsForResource",
)
"""What is served here; the service's others are for maps, places, routes, jobs and keys."""

KEPT: Final = ("type", "required", "min", "max", "pattern", "enum")
"""Attributes of a shape that are taken as they are."""


def table() -> bytes:
    """The table as JSON, of the botocore that is installed."""
    model = Loader().load_service_model("location", "service-2", api_version="2020-11-19")
    operations = {name: _operation(model["operations"][name]) for name in OPERATIONS}
    named: dict[str, dict[str, Any]] = {}
    for operation in operations.values():
        for name in (operation["input"], operation["output"], *operation["errors"]):
            named.update(_shapes(model["shapes"], name, named))
    content = {"operations": operations, "shapes": dict(sorted(named.items()))}
    return msgspec.json.format(msgspec.json.encode(content), indent=1) + b"\n"


def _operation(said: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "method": said["http"]["method"],
        "path": said["http"]["requestUri"],
        "status": said["http"]["responseCode"],
        "host_prefix": said["endpoint"]["hostPrefix"],
        "input": said["input"]["shape"],
        "output": said["output"]["shape"],
        "errors": [error["shape"] for error in said["errors"]],
    }


def _shapes(
    shapes: Mapping[str, Mapping[str, Any]], name: str, known: Mapping[str, object]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """The shape and those that it is made of, as far as they are not known."""
    waiting, met = [name], set(known)
    while waiting:
        name = waiting.pop()
        if name in met:
            continue
        met.add(name)
        said = shapes[name]
        shape = {key: said[key] for key in KEPT if key in said}
        for part in ("member", "key", "value"):
            if part in said:
                shape[part] = said[part]["shape"]
        if said["type"] == "structure":
            shape["members"] = {each: _member(each, of) for each, of in said["members"].items()}
            waiting += [of["shape"] for of in said["members"].values()]
        if "error" in said:
            shape["status"] = said["error"]["httpStatusCode"]
        waiting += [shape[part] for part in ("member", "key", "value") if part in shape]
        yield name, shape


def _member(name: str, said: Mapping[str, Any]) -> dict[str, str]:
    return {
        "shape": said["shape"],
        "location": said.get("location", "body"),
        "wire_name": said.get("locationName", name),
    }


if __name__ == "__main__":
    TABLE.write_bytes(table())
