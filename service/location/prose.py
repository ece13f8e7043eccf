"""What only the prose of the API's reference says, beside the model's constraints.

https://docs.aws.amazon.com/location/latest/APIReference/
"""

from typing import Final

EXACTLY_ONE: Final = {
    "GeofenceGeometry": ("Polygon", "Circle", "Geobuf", "MultiPolygon"),
    "TrackingFilterGeometry": ("Polygon",),
}
"""Structures of which just one member is given."""

RESERVED_TAGS: Final = "aws:"
"""No tag's key begins so, in upper or lower case."""
