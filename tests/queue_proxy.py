"""A proxy in front of the stand-in's SQS that does what AWS may do and the stand-in never does.

A standard queue of the stand-in keeps its order and delivers once; through the proxy it shuffles, delays and
redelivers. The proxy can also refuse requests, or entries of a batch, for a time, or lose an answer.
It speaks the protocol of botocore now: AWS JSON 1.0, the operation in X-Amz-Target.
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-making-api-requests-json.html
"""

import http.client
import json
import random
import sys
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from typing import Any, Literal, Self
from urllib.parse import urlsplit

from tests.http_servers import HttpServer

Fault = Literal["throttled", "failing", "denied", "lost"]
"""failing: a 500. lost: the queue does what was asked, and the connection ends without an answer."""

FAULTS = {
    "throttled": (HTTPStatus.BAD_REQUEST, "RequestThrottled", "The request was denied due to throttling."),
    "failing": (HTTPStatus.INTERNAL_SERVER_ERROR, "InternalFailure", "We encountered an internal error."),
    "denied": (HTTPStatus.FORBIDDEN, "AccessDenied", "Access to the resource is denied."),
}
SENDS = frozenset({"SendMessage", "SendMessageBatch"})
TARGET = "X-Amz-Target"
SERVICE = "AmazonSQS."
QUERY_ERROR = "x-amzn-query-error"
PAUSE_SECONDS = 0.05
"""Between two looks at the queue; it waits for whole seconds only."""
GHOST = "redelivered-"
"""How receipt handles of second deliveries begin."""


@dataclass(frozen=True, slots=True)
class Disorder:
    """What a standard queue does to its messages; nothing is done to a FIFO queue.

    A message is delayed by less than `window` seconds, and comes again less than `window` seconds after it
    came first, also when it has been deleted. Keep `window` below the queue's visibility timeout. With one
    reader the same seed makes the same choices.
    """

    window: float
    delayed: float = 0.3
    """Share of the messages."""
    redelivered: float = 0.1
    seed: int = field(default_factory=lambda: random.SystemRandom().randrange(1 << 32))


@dataclass(frozen=True, slots=True)
class Refusal:
    """`operations` go wrong; with `share`, only that share of the entries of each SendMessageBatch."""

    fault: Fault
    operations: frozenset[str] = SENDS
    share: float | None = None


class QueueProxy(HttpServer):
    """The queues of `upstream` (a URL) at `url`, for AWS_ENDPOINT_URL_SQS or the endpoint_url of a client.

    `requests` counts those that came, by operation; `redelivered` and `delayed` count messages.
    """

    def __init__(self, upstream: str, disorder: Disorder | None = None) -> None:
        address = urlsplit(upstream)
        self.upstream = (address.hostname or "", address.port or 80)
        self.requests: Counter[str] = Counter()
        self._disorder = disorder
        self._random = random.Random(disorder.seed if disorder else 0)  # noqa: S311 - no secret
        self._seen = 0
        self._held: dict[str, list[tuple[float, dict[str, Any]]]] = {}  # (when due, message), by queue URL
        self._refusal: Refusal | None = None
        self._refusing_until = 0.0
        self._lock = threading.Lock()
        self.delayed = self.redelivered = 0
        proxy = self

        class Handler(_Handler):
            answers_of = proxy

        super().__init__(Handler)

    def __enter__(self) -> Self:
        if self._disorder:
            sys.stdout.write(f"queue proxy: {self._disorder}\n")  # pytest shows it where a test fails
        return super().__enter__()

    def refuse(self, refusal: Refusal, seconds: float = float("inf")) -> None:
        """From now on, for so long or until `allow`."""
        assert refusal.share is None or refusal.fault in FAULTS, "entries cannot be lost one by one"
        with self._lock:
            self._refusal, self._refusing_until = refusal, time.monotonic() + seconds

    def allow(self) -> None:
        """Everything passes again."""
        with self._lock:
            self._refusal = None

    @contextmanager
    def refusing(
        self, fault: Fault, share: float | None = None, operations: frozenset[str] = SENDS
    ) -> Iterator[None]:
        """Until the `with` ends."""
        self.refuse(Refusal(fault, operations, share))
        try:
            yield
        finally:
            self.allow()

    def answer(self, operation: str, request: dict[str, Any], forward: "Forward") -> "Answer":
        """What the client gets. Called in the thread of its connection."""
        with self._lock:
            self.requests[operation] += 1
            refusal = self._refusal if time.monotonic() < self._refusing_until else None
        if refusal and operation in refusal.operations:
            if refusal.share is None:
                return _refused(refusal.fault, lambda: forward(request))
            if operation == "SendMessageBatch":
                return self._partly_refused(refusal, request, forward)
        if operation == "ReceiveMessage" and self._disorder and not request["QueueUrl"].endswith(".fifo"):
            return self._received(self._disorder, request, forward)
        if operation in _OF_HANDLES and self._disorder:
            return _without_ghosts(operation, request, forward)
        return forward(request)

    def _partly_refused(self, refusal: Refusal, request: dict[str, Any], forward: "Forward") -> "Answer":
        _, code, message = FAULTS[refusal.fault]
        with self._lock:
            refused = [e for e in request["Entries"] if self._random.random() < (refusal.share or 0)]
        passed = [entry for entry in request["Entries"] if entry not in refused]
        answer = forward({**request, "Entries": passed}) if passed else Answer(HTTPStatus.OK, {})
        if answer.status == HTTPStatus.OK:
            faults = [
                {"Id": e["Id"], "SenderFault": False, "Code": code, "Message": message} for e in refused
            ]
            answer.content["Failed"] = [*answer.content.get("Failed", []), *faults]
        return answer

    def _received(self, disorder: Disorder, request: dict[str, Any], forward: "Forward") -> "Answer":
        queue_url, most = request["QueueUrl"], request.get("MaxNumberOfMessages", 1)
        deadline = time.monotonic() + request.get("WaitTimeSeconds", 0)
        while True:
            given = self._due(queue_url, most)
            if len(given) < most:
                waits = 0 if given else self._whole_seconds(queue_url, deadline)
                part = {"MaxNumberOfMessages": most - len(given), "WaitTimeSeconds": waits}
                answer = forward({**request, **part})
                if answer.status != HTTPStatus.OK:
                    return answer
                given += self._disordered(disorder, queue_url, answer.content.get("Messages", []))
            if given or time.monotonic() >= deadline:
                with self._lock:
                    self._random.shuffle(given)
                return Answer(HTTPStatus.OK, {"Messages": given} if given else {})
            time.sleep(PAUSE_SECONDS)

    def _whole_seconds(self, queue_url: str, deadline: float) -> int:
        """How long to wait at the queue: 0 where the wait or a message held back ends within the second."""
        with self._lock:
            due = min((when for when, _ in self._held.get(queue_url, [])), default=deadline)
        return 1 if min(due, deadline) - time.monotonic() >= 1 else 0

    def _due(self, queue_url: str, most: int) -> list[dict[str, Any]]:
        now = time.monotonic()
        with self._lock:
            held = sorted(self._held.get(queue_url, []), key=lambda each: each[0])
            due = [message for when, message in held if when <= now][:most]
            self._held[queue_url] = [each for each in held if not any(each[1] is message for message in due)]
        return due

    def _disordered(
        self, disorder: Disorder, queue_url: str, messages: list[dict[str, Any]]
    ) -> list[dict[str, Any]]:
        """What of the messages is given now; the rest, and second copies, are held back."""
        now = time.monotonic()
        with self._lock:
            held = self._held.setdefault(queue_url, [])
            given = []
            for message in messages:
                self._seen += 1
                choices = random.Random(f"{disorder.seed} {self._seen}")  # noqa: S311 - no secret
                came = now
                if choices.random() < disorder.delayed:
                    self.delayed += 1
                    came += choices.random() * disorder.window
                    held.append((came, message))
                else:
                    given.append(message)
                if choices.random() < disorder.redelivered:
                    self.redelivered += 1
                    again = {**message, "ReceiptHandle": f"{GHOST}{uuid.uuid4()}"}
                    held.append((came + choices.random() * disorder.window, again))
        return given


_OF_HANDLES = frozenset(
    {"DeleteMessage", "DeleteMessageBatch", "ChangeMessageVisibility", "ChangeMessageVisibilityBatch"}
)


@dataclass(slots=True)
class Answer:
    """Of the queue; no status where the connection is to end without one."""

    status: int | None
    content: dict[str, Any]
    error: str | None = None
    """The value of x-amzn-query-error, from which botocore takes an error's code."""


Forward = Callable[[dict[str, Any]], Answer]


def _refused(fault: Fault, forward: Callable[[], Answer]) -> Answer:
    if fault == "lost":
        forward()
        return Answer(None, {})
    status, code, message = FAULTS[fault]
    content = {"__type": f"com.amazonaws.sqs#{code}", "message": message}
    return Answer(status, content, f"{code};Sender")


def _without_ghosts(operation: str, request: dict[str, Any], forward: Forward) -> Answer:
    """A second delivery is deleted, or hidden longer, without the queue, which has one message only."""
    if not operation.endswith("Batch"):
        ghost = request["ReceiptHandle"].startswith(GHOST)
        return Answer(HTTPStatus.OK, {}) if ghost else forward(request)
    ghosts = [entry for entry in request["Entries"] if entry["ReceiptHandle"].startswith(GHOST)]
    others = [entry for entry in request["Entries"] if entry not in ghosts]
    answer = forward({**request, "Entries": others}) if others else Answer(HTTPStatus.OK, {})
    if answer.status == HTTPStatus.OK:
        done = [{"Id": entry["Id"]} for entry in ghosts]
        answer.content["Successful"] = [*answer.content.get("Successful", []), *done]
    return answer


class _Handler(BaseHTTPRequestHandler):
    """One connection of a client, and one to the queue beside it."""

    protocol_version = "HTTP/1.1"
    answers_of: QueueProxy
    _upstream: http.client.HTTPConnection | None = None

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        operation = self.headers.get(TARGET, "").removeprefix(SERVICE)
        answer = self.answers_of.answer(operation, json.loads(body), self._forward)
        if answer.status is None:
            self.close_connection = True
            return
        content = json.dumps(answer.content).encode()
        self.send_response(answer.status)
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.send_header("Content-Length", str(len(content)))
        if answer.error:
            self.send_header(QUERY_ERROR, answer.error)
        self.end_headers()
        self.wfile.write(content)

    def finish(self) -> None:
        super().finish()
        if self._upstream:
            self._upstream.close()

    def log_message(self, format: str, *arguments: object) -> None:
        """Nothing: tests count requests instead."""

    def _forward(self, request: dict[str, Any]) -> Answer:
        """The body may differ from what was signed: the stand-in does not look at signatures."""
        headers = {name: value for name, value in self.headers.items() if name.lower() != "content-length"}
        if self._upstream is None:
            self._upstream = http.client.HTTPConnection(*self.answers_of.upstream, timeout=60)
        try:
            self._upstream.request("POST", self.path, json.dumps(request).encode(), headers)
            response = self._upstream.getresponse()
            content = json.loads(response.read() or b"{}")
            return Answer(response.status, content, response.headers.get(QUERY_ERROR))
        except (OSError, http.client.HTTPException):
            self._upstream.close()
            self._upstream = None
            return Answer(None, {})
