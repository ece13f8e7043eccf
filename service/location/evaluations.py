"""BatchEvaluateGeofences: positions compared with one collection, without a tracker.

They wait in the tracker that is a part of the collection until they have their turn, as all positions do.
"""

from collections.abc import Mapping
from typing import Any

from service.api.services import ApiServices
from service.location.updates import posted_updates, update_errors


def batch_evaluate_geofences(services: ApiServices, request: Mapping[str, Any], _: object) -> dict[str, Any]:
    """Answers what cannot be evaluated; events come when the others are."""
    updates = request["DevicePositionUpdates"]
    within = services.catalog.tracker_in_collection(request["CollectionName"])
    return {"Errors": update_errors(updates, posted_updates(services.tracker, within, updates))}
