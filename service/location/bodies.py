"""How long the bodies of requests may be."""

from typing import Final

from service.api.bodies import MEBIBYTE

LARGER: Final = {"PutGeofence": 2 * MEBIBYTE, "BatchPutGeofence": 12 * MEBIBYTE}
"""Ten geofences in Geobuf, each of which is Base64 of up to 700,000 bytes, fit."""


def most_bytes(operation: str) -> int:
    """Of a request for this operation."""
    return LARGER.get(operation, MEBIBYTE)
