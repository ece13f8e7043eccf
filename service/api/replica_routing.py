"""Which database answers a request: the primary what writes, the read replica what reads.

The primary also answers reads until the replica has what was written here, so that who changes something sees
it, and it has the last word where the replica does not know what was named: that may have been made a moment
ago. Positions that are posted are no such write: they come all the time, and are evaluated later.
"""

from http import HTTPStatus

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.api.guard import READING
from service.api.services import OF_PRIMARY
from service.read_replica import ReadReplica

POSITIONS = ("/v1/positions", "/topics/", "/osmand", "/owntracks")
"""Beginnings of paths where positions are posted."""


class ReplicaRouting:
    """An ASGI middleware."""

    def __init__(self, app: ASGIApp, replica: ReadReplica) -> None:
        self._app = app
        self._replica = replica

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif scope["method"] not in READING:
            changes = not scope["path"].startswith(POSITIONS)
            await self._app(_of_primary(scope), receive, self._telling(send) if changes else send)
        elif self._replica.lacks_our_writes:
            await self._app(_of_primary(scope), receive, send)
        else:
            await self._read(scope, receive, send)

    async def _read(self, scope: Scope, receive: Receive, send: Send) -> None:
        unknown = False

        async def send_what_is_known(message: Message) -> None:
            nonlocal unknown
            if message["type"] == "http.response.start":
                unknown = message["status"] == HTTPStatus.NOT_FOUND
            if not unknown:
                await send(message)

        await self._app({**scope}, receive, send_what_is_known)
        if unknown:
            await self._app(_of_primary(scope), receive, send)

    def _telling(self, send: Send) -> Send:
        """Before its answer is known, a write counts."""

        async def send_on(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._replica.wrote()
            await send(message)

        return send_on


def _of_primary(scope: Scope) -> Scope:
    return {**scope, OF_PRIMARY: True}
