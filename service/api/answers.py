"""Answers: shapes as JSON, and what the documentation says of them."""

from collections.abc import Mapping
from typing import Any

from fastapi import Response
from msgspec import Raw, Struct, json

JSON = "application/json"
GEOJSON = "application/geo+json"


class Shape(Struct, frozen=True, rename="camel"):
    """A JSON object of an answer; its annotations are its documentation."""


def answer(
    content: Shape | Mapping[str, object],
    status: int = 200,
    media_type: str = JSON,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """The content as JSON."""
    return Response(json.encode(content), status, headers, media_type)


def documented_answer(
    shape: type[Struct], description: str, media_type: str = JSON, status: int = 200
) -> dict[int | str, dict[str, Any]]:
    """An answer of this shape, for a route's documentation."""
    schema = {"$ref": f"#/components/schemas/{shape.__name__}"}
    return {status: {"description": description, "content": {media_type: {"schema": schema}}}}


def object_of(text: str) -> Raw:
    """JSON text of an object as it stands; '' is the empty object."""
    return Raw(text.encode() or b"{}")
