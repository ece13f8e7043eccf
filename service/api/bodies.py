"""Bodies: read no further than their limit."""

from typing import TypeVar

import msgspec
from fastapi import Request

from service.api.content_faults import content_fault
from service.api.problems import TooLarge
from service.errors import Refused

MEBIBYTE = 1 << 20
SMALL = 1 << 16

Content = TypeVar("Content", bound=msgspec.Struct)


async def read_body(request: Request, most: int) -> bytes:
    """The body of a request. Raises TooLarge as soon as it passes `most` bytes, Refused if compressed."""
    encoding = request.headers.get("content-encoding", "identity")
    if encoding != "identity":
        raise Refused(f"Content-Encoding {encoding!r}: expected a body that is not compressed")
    declared = request.headers.get("content-length", "")
    if declared.isascii() and declared.isdigit() and int(declared[:20]) > most:
        raise _too_large(most)
    chunks, length = [], 0
    async for chunk in request.stream():
        length += len(chunk)
        if length > most:
            raise _too_large(most)
        chunks.append(chunk)
    return b"".join(chunks)


async def read_content(request: Request, shape: type[Content]) -> Content:
    """A small JSON body of this shape. Raises TooLarge or Refused."""
    body = await read_body(request, SMALL)
    try:
        return msgspec.json.decode(body, type=shape)
    except (ValueError, RecursionError) as error:
        raise Refused(content_fault(error, shape)) from None


def _too_large(most: int) -> TooLarge:
    size = f"{most // MEBIBYTE} MiB" if most >= MEBIBYTE else f"{most // 1024} KiB"
    return TooLarge(f"body: expected at most {size}")
