"""A bus and a topic at the stand-in with a queue behind each, and a proxy that says what it never does."""

import http.client
import json
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.http_servers import HttpServer
from tests.stand_in import StandIn

Refusal = tuple[str, str]
"""Code and message."""


class CloudQueue:
    """A queue that receives what a bus or a topic is given."""

    def __init__(self, aws: StandIn, name: str) -> None:
        self._sqs = aws.client("sqs")
        fifo = {"FifoQueue": "true"} if name.endswith(".fifo") else {}
        self.url = self._sqs.create_queue(QueueName=name, Attributes=fifo)["QueueUrl"]
        wanted = self._sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=["QueueArn"])
        self.arn = wanted["Attributes"]["QueueArn"]

    def take(self) -> list[dict[str, Any]]:
        """All that is there: bodies in order."""
        bodies: list[dict[str, Any]] = []
        while messages := self._sqs.receive_message(
            QueueUrl=self.url, MaxNumberOfMessages=10, MessageAttributeNames=["All"]
        ).get("Messages"):
            for each in messages:
                bodies.append(json.loads(each["Body"]))
                self._sqs.delete_message(QueueUrl=self.url, ReceiptHandle=each["ReceiptHandle"])
        return bodies


def queue_behind_bus(aws: StandIn, bus: str) -> CloudQueue:
    """Makes the bus, with a rule for all that it is given."""
    events = aws.client("events")
    events.create_event_bus(Name=bus)
    queue = CloudQueue(aws, f"behind-{bus}")
    pattern = json.dumps({"detail-type": [{"prefix": "Location"}]})
    events.put_rule(Name=f"all-{bus}", EventBusName=bus, EventPattern=pattern)
    events.put_targets(Rule=f"all-{bus}", EventBusName=bus, Targets=[{"Id": "queue", "Arn": queue.arn}])
    return queue


def queue_behind_topic(aws: StandIn, topic: str) -> tuple[str, CloudQueue]:
    """Makes the topic; answers its ARN too."""
    sns = aws.client("sns")
    ending = ".fifo" if topic.endswith(".fifo") else ""
    arn = sns.create_topic(Name=topic, Attributes={"FifoTopic": "true"} if ending else {})["TopicArn"]
    queue = CloudQueue(aws, f"behind-{topic}")
    sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=queue.arn)
    return arn, queue


class CloudProxy(HttpServer):
    """Hands requests on to `upstream`, but for what it refuses.

    `refuses` is asked of each entry of PutEvents (by its detail) or PublishBatch (by its message); the others
    go on. `refuses_request` is asked of whole requests of PutEvents, `taken` called when PutEvents was done
    and nobody knows yet. `faults` are answers to the next requests: (status, code). `entries` are those of
    PutEvents, as they came. `hides_the_bus`: it may not be looked at. `loses`: so many PublishBatch are done,
    and nobody is told.
    """

    def __init__(self, upstream: str) -> None:
        address = urlsplit(upstream)
        self.upstream = (address.hostname or "", address.port or 80)
        self.refuses: Callable[[dict[str, Any]], Refusal | None] = lambda _: None
        self.refuses_request: Callable[[bytes], bool] = lambda _: False
        self.taken: Callable[[], None] = lambda: None
        self.hides_the_bus = False
        self.loses = 0
        self.faults: list[tuple[int, str]] = []
        self.entries: list[dict[str, Any]] = []
        self.requests = 0
        proxy = self

        class Handler(_Handler):
            answers_of = proxy

        super().__init__(Handler)

    def details(self) -> list[dict[str, Any]]:
        return [json.loads(each["Detail"]) for each in self.entries]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    answers_of: CloudProxy

    def do_POST(self) -> None:
        proxy = self.answers_of
        body = self.rfile.read(int(self.headers["Content-Length"]))
        operation = self.headers.get("X-Amz-Target", "")
        if operation.endswith("PutEvents"):
            self._put_events(json.loads(body))
        elif operation.endswith("DescribeEventBus") and proxy.hides_the_bus:
            self._answer(400, b'{"__type": "AccessDeniedException", "message": "no"}')
        elif b"Action=Publish" in body:
            self._publish(body)
        else:
            self._answer(*self._handed_on(body))
        proxy.requests += 1

    def _put_events(self, request: dict[str, Any]) -> None:
        proxy = self.answers_of
        proxy.entries += request["Entries"]
        if proxy.faults or proxy.refuses_request(json.dumps(request).encode()):
            status, code = proxy.faults.pop(0) if proxy.faults else (400, "ValidationException")
            self._answer(status, json.dumps({"__type": code, "message": "no"}).encode())
            return
        refusals = [proxy.refuses(json.loads(each["Detail"])) for each in request["Entries"]]
        kept = [each for each, no in zip(request["Entries"], refusals, strict=True) if no is None]
        taken = iter(self._taken(kept) if kept else [])
        said = [{"ErrorCode": no[0], "ErrorMessage": no[1]} if no else next(taken) for no in refusals]
        answer = {"FailedEntryCount": sum(no is not None for no in refusals), "Entries": said}
        proxy.taken()
        self._answer(200, json.dumps(answer).encode())

    def _taken(self, entries: list[dict[str, Any]]) -> list[dict[str, str]]:
        status, answer = self._handed_on(json.dumps({"Entries": entries}).encode())
        assert status == 200, answer
        said: list[dict[str, str]] = json.loads(answer)["Entries"]
        return said

    def _publish(self, body: bytes) -> None:
        proxy = self.answers_of
        if proxy.faults:
            status, code = proxy.faults.pop(0)
            fault = f"<ErrorResponse><Error><Code>{code}</Code><Message>no</Message></Error></ErrorResponse>"
            self._answer(status, fault.encode())
            return
        form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        entry = "PublishBatchRequestEntries.member.1."
        refusal = proxy.refuses(json.loads(form[f"{entry}Message"])) if f"{entry}Message" in form else None
        if refusal is None:
            status, said = self._handed_on(body)
            if proxy.loses:
                proxy.loses -= 1
                self.close_connection = True
                return
            self._answer(status, said)
            return
        failed = (
            f"<member><Id>{form[f'{entry}Id']}</Id><Code>{refusal[0]}</Code><Message>{refusal[1]}</Message>"
            "<SenderFault>true</SenderFault></member>"
        )
        answer = f"<PublishBatchResult><Successful/><Failed>{failed}</Failed></PublishBatchResult>"
        self._answer(200, f"<PublishBatchResponse>{answer}</PublishBatchResponse>".encode())

    def _handed_on(self, body: bytes) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection(*self.answers_of.upstream, timeout=30)
        headers = {
            name: value
            for name, value in self.headers.items()
            if name.lower() not in ("host", "content-length", "expect")
        }
        connection.request("POST", self.path, body, headers)
        response = connection.getresponse()
        answer = response.read()
        connection.close()
        return response.status, answer

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Says nothing."""
