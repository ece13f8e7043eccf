"""What account B has in the demo: a queue that account A may fill, a bus, and a topic that tells people.

infra/destination-account.yaml is the same for AWS, with all that a real account needs besides.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from service.demo.stand_in import DESTINATION, REGION, SOURCE, StandIn

QUEUE = "positions.fifo"
DEAD_LETTER_QUEUE = "positions-dead.fifo"
BUS = "overfly"
TOPIC = "overfly-alerts"
EMAIL = "dispatcher@example.com"
PHONE = "+41790000000"

RECEIVES = "100"
"""After so many the queue itself gives a message up."""

WHO = {True: "<callsign> (<device>)", False: "<device>"}
"""By whether the device has a callsign."""
WHERE = {True: "<place> (<geofence>)", False: "<geofence>"}
"""By whether the geofence has a name."""
PATHS = {
    "callsign": "$.detail.PositionProperties.callsign",
    "device": "$.detail.DeviceId",
    "place": "$.detail.GeofenceProperties.name",
    "geofence": "$.detail.GeofenceId",
    "time": "$.detail.SampleTime",
}
"""Of an event. One that is not there would leave a gap in the sentence, so each case has its own rule."""


@dataclass(frozen=True, slots=True)
class AccountB:
    """What programs are told of it."""

    queue_url: str
    bus: str


def make_account_b(aws: StandIn, geofence_ids: Sequence[str]) -> AccountB:
    """People are told of those who enter these geofences; of all where none is named."""
    sqs = aws.client("sqs")
    fifo = {"FifoQueue": "true"}
    sqs.create_queue(QueueName=DEAD_LETTER_QUEUE, Attributes=fifo)
    redrive = {"deadLetterTargetArn": _arn("sqs", DEAD_LETTER_QUEUE), "maxReceiveCount": RECEIVES}
    attributes = {**fifo, "RedrivePolicy": json.dumps(redrive), "Policy": json.dumps(_policy())}
    queue_url: str = sqs.create_queue(QueueName=QUEUE, Attributes=attributes)["QueueUrl"]
    _make_ways_to_people(aws, geofence_ids)
    return AccountB(queue_url, BUS)


def _policy() -> dict[str, Any]:
    """Account A may send, and nothing else."""
    allowed = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{SOURCE}:root"},
        "Action": "sqs:SendMessage",
        "Resource": _arn("sqs", QUEUE),
    }
    return {"Version": "2012-10-17", "Statement": [allowed]}


def _make_ways_to_people(aws: StandIn, geofence_ids: Sequence[str]) -> None:
    sns, events = aws.client("sns"), aws.client("events")
    topic = sns.create_topic(Name=TOPIC)["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="email", Endpoint=EMAIL)
    sns.subscribe(TopicArn=topic, Protocol="sms", Endpoint=PHONE)
    events.create_event_bus(Name=BUS)
    for callsign, name in product((True, False), repeat=2):
        rule = f"entered-{'callsign' if callsign else 'device'}-{'name' if name else 'geofence'}"
        pattern = _pattern(geofence_ids, callsign, name)
        events.put_rule(Name=rule, EventBusName=BUS, EventPattern=json.dumps(pattern))
        sentence = f"{WHO[callsign]} entered {WHERE[name]} at <time>."
        paths = {variable: path for variable, path in PATHS.items() if f"<{variable}>" in sentence}
        transformer = {"InputPathsMap": paths, "InputTemplate": sentence}
        target = {"Id": "topic", "Arn": topic, "InputTransformer": transformer}
        events.put_targets(Rule=rule, EventBusName=BUS, Targets=[target])


def _pattern(geofence_ids: Sequence[str], callsign: bool, name: bool) -> dict[str, Any]:
    """Of events whose device has a callsign, or has none, and whose geofence has a name, or has none."""
    detail: dict[str, Any] = {
        "EventType": ["ENTER"],
        "PositionProperties": {"callsign": [{"exists": callsign}]},
        "GeofenceProperties": {"name": [{"exists": name}]},
    }
    if geofence_ids:
        detail["GeofenceId"] = list(geofence_ids)
    return {"source": ["overfly"], "detail-type": ["Location Geofence Event"], "detail": detail}


def _arn(service: str, name: str) -> str:
    return f"arn:aws:{service}:{REGION}:{DESTINATION}:{name}"
