"""Errors as Amazon's REST services with JSON write them: the name is in a header, the members in the body.

https://smithy.io/2.0/aws/protocols/aws-restjson1-protocol.html#operation-error-serialization
"""

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from fastapi import Response
from msgspec import json

from service.api.answers import JSON


def amazon_answer(content: Any, status: int, headers: Mapping[str, str] | None = None) -> Response:
    """Any answer as they have it: it bears an id of its own."""
    with_id = {"x-amzn-RequestId": str(uuid4()), **(headers or {})}
    return Response(json.encode(content), status, with_id, JSON)


def amazon_error(name: str, status: int, members: Any, headers: Mapping[str, str] | None = None) -> Response:
    """An error of this name; `members` are as they are on the wire."""
    return amazon_answer(members, status, {"x-amzn-ErrorType": name, **(headers or {})})
