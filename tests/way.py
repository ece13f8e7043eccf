"""The whole way on this machine: two brokers, bridge, queue, republisher, tracker, bus, topic, receiver.

Account A has the source broker and the bridge; account B, in the stand-in, all the rest.
"""

import json
import string
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.brokers import Mosquitto
from tests.hops import Hop
from tests.services import Overfly
from tests.stand_in import DESTINATION, SOURCE, StandIn

VISIBILITY_SECONDS = 20
RECEIVED_ONCE = str(12 * 3600)
"""Visibility of what is received and never deleted: SQS's longest."""
RECEIVES = 10
"""Receives after which the queue gives a message up."""


class Receiver:
    """Reads the queues to which an SNS topic delivers: the ids of the events, and how often each came."""

    def __init__(self, aws: StandIn, queue_urls: Sequence[str]) -> None:
        self._aws = aws
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._read, args=[queue_urls[part::4]]) for part in range(4)]
        self.times_seen: Counter[str] = Counter()

    def __enter__(self) -> "Receiver":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _read(self, queue_urls: Sequence[str]) -> None:
        sqs = self._aws.client("sqs", DESTINATION)
        while not self._stop.is_set():
            found = sum(self._take(sqs, url) for url in queue_urls)
            self._stop.wait(0 if found else 0.5)

    def _take(self, sqs: Any, queue_url: str) -> int:
        """How many messages came."""
        messages = sqs.receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10).get("Messages", [])
        ids = [json.loads(message["Body"])["detail"]["EventId"] for message in messages]
        with self._lock:
            self.times_seen.update(ids)
        return len(messages)


@dataclass(frozen=True, slots=True)
class Cloud:
    """What account B has."""

    queue_url: str
    dead_letter_queue_url: str
    bus: str
    told_queue_urls: Sequence[str]

    @classmethod
    def make(cls, aws: StandIn, *, fifo: bool) -> "Cloud":
        sqs = aws.client("sqs", DESTINATION)
        kind = {"FifoQueue": "true"} if fifo else {}
        ending = ".fifo" if fifo else ""

        def queue(name: str, attributes: dict[str, str]) -> tuple[str, str]:
            url = sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
            found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
            return url, found["Attributes"]["QueueArn"]

        dead_url, dead_arn = queue(f"positions-dead{ending}", kind)
        redrive = {"deadLetterTargetArn": dead_arn, "maxReceiveCount": str(RECEIVES)}
        visibility = {"VisibilityTimeout": str(VISIBILITY_SECONDS)}
        url, _ = queue(f"positions{ending}", {**kind, **visibility, "RedrivePolicy": json.dumps(redrive)})
        sns, events = aws.client("sns", DESTINATION), aws.client("events", DESTINATION)
        topic = sns.create_topic(Name="events")["TopicArn"]
        told_urls = []
        for digit in string.hexdigits[:16]:  # the stand-in is slow where many messages wait in one queue
            told_url, told_arn = queue(f"told-{digit}", {"VisibilityTimeout": RECEIVED_ONCE})
            told_urls.append(told_url)
            attributes = {
                "RawMessageDelivery": "true",
                "FilterPolicyScope": "MessageBody",
                "FilterPolicy": json.dumps({"detail": {"EventId": [{"prefix": digit}]}}),
            }
            sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=told_arn, Attributes=attributes)
        events.create_event_bus(Name="overfly")
        pattern = json.dumps({"source": ["overfly"], "detail-type": ["Location Geofence Event"]})
        events.put_rule(Name="tell", EventBusName="overfly", EventPattern=pattern)
        events.put_targets(Rule="tell", EventBusName="overfly", Targets=[{"Id": "topic", "Arn": topic}])
        return cls(url, dead_url, "overfly", told_urls)


@dataclass(frozen=True, slots=True)
class Way:
    """All hops, running."""

    aws: StandIn
    cloud: Cloud
    source: Mosquitto
    bridge: Hop
    republisher: Hop
    destination: Mosquitto
    overfly: Overfly
    receiver: Receiver


@contextmanager
def whole_way(
    folder: Path,
    aws: StandIn,
    *,
    fifo: bool,
    reorder_seconds: float = 0,
    queue_endpoint: str | None = None,
) -> Iterator[Way]:
    """`queue_endpoint`: where bridge and republisher find SQS, if not at the stand-in itself."""
    cloud = Cloud.make(aws, fifo=fifo)
    through = {} if queue_endpoint is None else {"AWS_ENDPOINT_URL_SQS": queue_endpoint}
    with ExitStack() as stack:
        source = stack.enter_context(Mosquitto(folder / "source"))
        destination = stack.enter_context(Mosquitto(folder / "destination"))
        overfly = Overfly(
            folder / "overfly",
            {
                "MQTT_URL": destination.url,
                "EVENT_BUS": cloud.bus,
                "REORDER_SECONDS": str(reorder_seconds),
            },
            aws.environment(DESTINATION),
        )
        bridge = Hop(
            "bridge",
            folder / "bridge",
            {"SOURCE_MQTT_URL": source.url, "QUEUE_URL": cloud.queue_url},
            {**aws.environment(SOURCE), **through},
        )
        republisher = Hop(
            "republish",
            folder / "republish",
            {"QUEUE_URL": cloud.queue_url, "MQTT_URL": destination.url},
            {**aws.environment(DESTINATION), **through},
        )
        stack.callback(overfly.kill)
        overfly.start()
        stack.enter_context(bridge)
        stack.enter_context(republisher)
        receiver = stack.enter_context(Receiver(aws, cloud.told_queue_urls))
        yield Way(aws, cloud, source, bridge, republisher, destination, overfly, receiver)
