"""AWS IoT's Publish by HTTPS as the republisher meets it, with answers that a test chooses."""

import json
import time
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler
from urllib.parse import unquote, urlsplit

from tests.http_servers import HttpServer

ERRORS: Mapping[int, str] = {
    400: "InvalidRequestException",
    403: "ForbiddenException",
    413: "RequestEntityTooLargeException",
    429: "ThrottlingException",
    500: "InternalFailureException",
}


class IotData(HttpServer):
    """`statuses` by topic: 200 where there is none; `slow` is how long an answer takes, in seconds."""

    def __init__(self) -> None:
        super().__init__(self._handler())
        self.statuses: dict[str, int] = {}
        self.slow = 0.0
        self.got: list[tuple[str, bytes]] = []
        self.refused: list[str] = []

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
