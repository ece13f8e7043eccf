"""What is turned away before any route: other hosts, writes from other sites' pages, ambiguous paths.

A page of any site can have a browser send requests to a server in its user's network. Names that are not
ours (DNS rebinding) and writes whose Origin is another site's are refused: no such page reads or changes
anything.

Amazon Location's clients ask for host names with a prefix, and name resources whose ARNs have a '/'.
"""

from collections.abc import Collection
from http import HTTPStatus

from fastapi import Response
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.api.problems import problem
from service.location.model import HOST_PREFIXES
from service.location.paths import is_location

OWN_HOSTS = ("127.0.0.1", "localhost", "[::1]")
PUBLISHING = b"/topics/"
"""Before a topic, whose '/' may be percent-encoded."""
LINE_BREAK = b"%0a"
"""At the end of a path, which the routes' patterns would not see, and the gate's rules would."""
READING = ("GET", "HEAD", "OPTIONS")
METHOD_SENT = "overfly.method_sent"
"""Where the ASGI scope has the method as it was sent: a signature is of that."""


class Guard:
    """An ASGI middleware; `hosts` are the names that are served besides OWN_HOSTS.

    None: any. Where all must say who they are, no page of a strange name can do it for them.
    """

    def __init__(self, app: ASGIApp, hosts: Collection[str] | None) -> None:
        self._app = app
        self._any = hosts is None
        self._hosts = frozenset(host.lower() for host in (*OWN_HOSTS, *(hosts or ())))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        refusal = self._refusal(scope)
        if scope["method"] == "HEAD":
            scope = {
                **scope,
                "method": "GET",
                METHOD_SENT: "HEAD",
            }  # the server, which knows better, leaves the content out
        await (refusal or self._app)(scope, receive, _nosniff(send))

    def _refusal(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        host = headers.get("host", "").lower()
        if not self._any and _without_prefix(_name(host)) not in self._hosts:
            detail = (
                f"host {host!r} is not served here: expected {', '.join(sorted(self._hosts))}, with any port"
            )
            return problem(HTTPStatus.MISDIRECTED_REQUEST, detail)
        origin = headers.get("origin")
        if origin is not None and scope["method"] not in READING and _authority(origin) != host:
            return problem(HTTPStatus.FORBIDDEN, f"origin {origin!r} may not change anything at {host!r}")
        raw = scope.get("raw_path", b"")
        if raw.lower().endswith(LINE_BREAK) and not is_location(scope):
            return problem(HTTPStatus.NOT_FOUND, "there is nothing here: no path ends with a line break")
        if b"%2f" in raw.lower() and not is_location(scope) and not raw.startswith(PUBLISHING):
            return problem(HTTPStatus.NOT_FOUND, "there is nothing here: no id or name contains a '/'")
        return None


def _name(host: str) -> str:
    """The Host header without its port."""
    name, colon, port = host.rpartition(":")
    return name if colon and port.isascii() and port.isdigit() and not host.endswith("]") else host


def _without_prefix(name: str) -> str:
    """Amazon's clients put one of theirs before the name of any endpoint."""
    return next((name.removeprefix(each) for each in HOST_PREFIXES if name.startswith(each)), name)


def _authority(origin: str) -> str:
    return origin.lower().partition("://")[2]


def _nosniff(send: Send) -> Send:
    """No browser shall guess that a hostile name in an answer is a page."""

    async def send_on(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message)["X-Content-Type-Options"] = "nosniff"
        await send(message)

    return send_on
