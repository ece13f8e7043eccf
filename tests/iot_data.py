"""AWS IoT's Publish by HTTPS as the republisher meets it, with answers that a test chooses."""

import json
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self
from urllib.parse import unquote, urlsplit

ERRORS: Mapping[int, str] = {
    400: "InvalidRequestException",
    403: "ForbiddenException",
    413: "RequestEntityTooLargeException",
    429: "ThrottlingException",
    500: "InternalFailureException",
}


@dataclass(slots=True)
class IotData:
    """`statuses` by topic: 200 where there is none; `slow` is how long an answer takes, in seconds."""

    statuses: dict[str, int] = field(default_factory=dict)
    slow: float = 0.0
    got: list[tuple[str, bytes]] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    _server: ThreadingHTTPServer | None = None

    @property
    def url(self) -> str:
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        iot = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                payload = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                topic = unquote(urlsplit(self.path).path.removeprefix("/topics/"))
                time.sleep(iot.slow)
                status = iot.statuses.get(topic, 200)
                if status == 200:
                    iot.got.append((topic, payload))
                else:
                    iot.refused.append(topic)
                answer = json.dumps({"message": "as the test says"}).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(answer)))
                self.send_header("Content-Type", "application/json")
                self.send_header("x-amzn-ErrorType", ERRORS.get(status, ""))
                self.end_headers()
                self.wfile.write(answer)

            def do_GET(self) -> None:
                """DescribeEndpoint, answered without an endpoint."""
                self.send_response(200)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *_: object) -> None:
                """Says nothing."""

        return Handler
