"""An account at Amazon Location with answers that a test chooses."""

import json
from collections import defaultdict, deque
from http.server import BaseHTTPRequestHandler
from typing import Any

from tests.http_servers import HttpServer

NOTHING = {"Entries": [], "ConsumerArns": [], "DevicePositions": []}


class CannedAccount(HttpServer):
    """`answers` by path: status and content, one after the other; an empty list where there is none left."""

    def __init__(self) -> None:
        super().__init__(self._handler())
        self.answers: defaultdict[str, deque[tuple[int, dict[str, Any]]]] = defaultdict(deque)
        self.asked: list[str] = []

    def say(self, path: str, *answers: tuple[int, dict[str, Any]]) -> None:
        self.answers[path].extend(answers)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        account = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                account.asked.append(self.path)
                waiting = account.answers[self.path]
                status, content = waiting.popleft() if waiting else (200, NOTHING)
                answer = json.dumps(content).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(answer)))
                if status != 200:
                    self.send_header("x-amzn-ErrorType", content["code"])
                self.end_headers()
                self.wfile.write(answer)

            def do_GET(self) -> None:
                self.do_POST()

            def log_message(self, *_: object) -> None:
                """Says nothing."""

        return Handler
