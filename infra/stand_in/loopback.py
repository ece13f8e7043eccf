"""Every listener at the loopback interface.

The HTTP port obeys BIND_HOST, the MQTT listener does not: it asks the event loop for all interfaces.
"""

import asyncio
import sys
from typing import Any

HOST = "127.0.0.1"


def amend() -> None:
    """Servers of the event loop listen on HOST; any other socket that is not bound to it is refused."""
    create_server = asyncio.BaseEventLoop.create_server

    async def on_loopback(
        loop: asyncio.BaseEventLoop, factory: Any, host: Any = None, *rest: Any, **options: Any
    ) -> Any:
        return await create_server(loop, factory, None if options.get("sock") else HOST, *rest, **options)

    asyncio.BaseEventLoop.create_server = on_loopback  # type: ignore[method-assign] # that is the amendment
    sys.addaudithook(_refuse_other_addresses)


def _refuse_other_addresses(event: str, arguments: tuple[Any, ...]) -> None:
    if event != "socket.bind":
        return
    address = arguments[1]
    if isinstance(address, tuple) and address[0] not in (HOST, "::1", "localhost"):
        raise PermissionError(
            f"the AWS stand-in listens on {HOST} only, not on {address[0] or 'all interfaces'!r}"
        )
