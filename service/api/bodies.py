"""Bodies: read no further than their limit."""

from collections.abc import Mapping
from typing import TypeVar

import msgspec
from fastapi import Request

from service.api.content_faults import content_fault
from service.api.problems import TooLarge
from service.errors import Refused

KIBIBYTE = 1 << 10
MEBIBYTE = 1 << 20
SMALL = 1 << 16

Content = TypeVar("Content", bound=msgspec.Struct)


async def read_body(request: Request, most: int) -> bytes:
    """The body of a request. Raises TooLarge as soon as it passes `most` bytes, Refused if compressed."""
    encoding = request.headers.get("content-encoding", "identity")
    if encoding != "identity":
        raise Refused(f"Content-Encoding {encoding!r}: expected a body that is not compressed")
    if declares_more(request.headers, most):
        raise TooLarge(too_long(most))
    chunks, length = [], 0
    async for chunk in request.stream():
        length += len(chunk)
        if length > most:
            raise TooLarge(too_long(most))
        chunks.append(chunk)
    return b"".join(chunks)


async def read_content(request: Request, shape: type[Content]) -> Content:
    """A small JSON body of this shape. Raises TooLarge or Refused."""
    body = await read_body(request, SMALL)
    try:
        return msgspec.json.decode(body, type=shape)
    except (ValueError, RecursionError) as error:
        raise Refused(content_fault(error, shape)) from None


def declares_more(headers: Mapping[str, str], most: int) -> bool:
    """Whether a request says itself that its body is longer than `most` bytes."""
    declared = headers.get("content-length", "")
    return declared.isascii() and declared.isdigit() and int(declared[:20]) > most


def too_long(most: int) -> str:
    """The sentence about a body that is longer."""
    size = f"{most // MEBIBYTE} MiB" if most >= MEBIBYTE else f"{most // KIBIBYTE} KiB"
    return f"body: expected at most {size}"
