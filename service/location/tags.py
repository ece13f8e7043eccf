"""Tags of trackers and geofence collections."""

from collections.abc import Iterable

from service.location.errors import FIELD_VALIDATION_FAILED, INVALID, Field, ValidationException
from service.location.faults import shown
from service.location.prose import RESERVED_TAGS


def check_tags(keys: Iterable[str], member: str = "Tags") -> None:
    """Raises ValidationException where a key is reserved."""
    reserved = [key for key in keys if key.lower().startswith(RESERVED_TAGS)]
    if reserved:
        fields = [
            Field(f"{member}[{shown(key)}]", f"keys that begin with {RESERVED_TAGS} are reserved")
            for key in reserved
        ]
        raise ValidationException(INVALID, FIELD_VALIDATION_FAILED, fields)
