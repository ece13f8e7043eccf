"""BatchEvaluateGeofences: positions compared with one collection, without a tracker.

They go the way of all positions, in the tracker that is a part of the collection.
"""

from collections.abc import Mapping
from typing import Any

from starlette.concurrency import run_in_threadpool

from service.api.services import ApiServices
from service.location.updates import update_errors


async def batch_evaluate_geofences(
    services: ApiServices, request: Mapping[str, Any], _: object
) -> dict[str, Any]:
    """Answers what cannot be evaluated; events come when the others are."""
    updates = request["DevicePositionUpdates"]
    within = await run_in_threadpool(services.catalog.tracker_in_collection, request["CollectionName"])
    return {"Errors": update_errors(updates, await services.posts.post(services.tracker, within, updates))}
