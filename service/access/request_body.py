"""Bodies, read before a request is at work: no more than they may have, no slower than is honest.

What many send at once is bounded too, in all and for one caller: a body is held until it is answered.
"""

import asyncio
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive

from service.access.refusals import TooBusy, TooFast, TooManyBytes, TooSlow
from service.api.bodies import KIBIBYTE, MEBIBYTE, declares_more, too_long

GRACE_SECONDS: Final = 20.0
LEAST_RATE: Final = 16 * KIBIBYTE
"""A body takes at most the grace, and a second more for each of so many bytes."""


@dataclass(slots=True)
class Held:
    """Bytes of bodies that are held now; `in_all` and `of_one` at most."""

    in_all: int = 512 * MEBIBYTE
    of_one: int = 160 * MEBIBYTE
    _total: int = 0
    _of: Counter[str] = field(default_factory=Counter)

    @contextmanager
    def account(self, of: str) -> Iterator["Account"]:
        """What one request holds, given back at the end."""
        account = Account(self, of)
        try:
            yield account
        finally:
            self._total -= account.held
            self._of[of] -= account.held
            if not self._of[of]:
                del self._of[of]

    def add(self, of: str, length: int) -> None:
        """Raises TooFast, TooBusy."""
        if self._of[of] + length > self.of_one:
            raise TooFast(
                "requests of yours that are not answered yet hold too many bytes: wait for some", 1.0
            )
        if self._total + length > self.in_all:
            raise TooBusy("requests hold too many bytes: the same again, a little later")
        self._total += length
        self._of[of] += length


@dataclass(slots=True)
class Account:
    """Of one request."""

    _all: Held
    _of: str
    held: int = 0

    def add(self, length: int) -> None:
        self._all.add(self._of, length)
        self.held += length


async def read_whole(receive: Receive, headers: Headers, most: int, account: Account) -> bytes:
    """The body. Raises TooManyBytes as soon as it passes `most`, TooSlow, TooFast, TooBusy, and
    ClientDisconnect.
    """
    if declares_more(headers, most):
        raise TooManyBytes(too_long(most))
    chunks: list[bytes] = []
    length, more = 0, True
    began = asyncio.get_running_loop().time()
    while more:
        try:
            async with asyncio.timeout_at(began + GRACE_SECONDS + length / LEAST_RATE):
                message = await receive()
        except TimeoutError:
            raise TooSlow(
                f"body: {length} bytes in {GRACE_SECONDS + length / LEAST_RATE:.0f} seconds"
            ) from None
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        chunk = message.get("body", b"")
        length += len(chunk)
        if length > most:
            raise TooManyBytes(too_long(most))
        account.add(len(chunk))
        chunks.append(chunk)
        more = message.get("more_body", False)
    return b"".join(chunks)


def once_more(body: bytes, receive: Receive) -> Receive:
    """For who reads it after us: the body, then what the server says."""
    given = False

    async def receive_again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receive_again


def empty(headers: Mapping[str, str]) -> bool:
    """Whether a request says that it has no body."""
    return "transfer-encoding" not in headers and headers.get("content-length", "0") == "0"
