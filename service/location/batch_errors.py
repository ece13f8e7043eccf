"""Why one item of a batch was not taken, while the others were: the model's BatchItemError."""

from typing import Any, Final

VALIDATION: Final = "ValidationError"
CONFLICT: Final = "ConflictError"
INTERNAL: Final = "InternalServerError"
NOT_FOUND: Final = "ResourceNotFoundError"


def item_error(code: str, message: str) -> dict[str, Any]:
    """`code` is one of the model's BatchItemErrorCode, such as those above."""
    return {"Code": code, "Message": message}
