"""The republisher's function, killed at its time-out in mid-batch by the stand-in's Lambda, as AWS would."""

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ingest.envelope import packed
from ingest.topics import shard_of
from tests.iot_data import IotData
from tests.queues import Queue
from tests.stand_in import REPOSITORY, StandIn
from tests.waiting import wait_until

TIMEOUT = 8
"""Seconds of the function; it has to be well above what the handler keeps for its answer."""
HIDDEN = 12
"""Visibility timeout of the queue."""
PATIENCE = 90
DEVICES = ("4ca7b3", "400a0e", "3c6444")

HANGING = """
import pathlib, time
from ingest import lambda_handler

hung = pathlib.Path({flag!r})

def handler(event, context):
    answer = lambda_handler.handler(event, context)
    if not hung.exists():
        hung.touch()
        time.sleep(3600)
    return answer
"""
"""Our handler, which after its first batch, all of it published, gets no word out before its time is over."""


@pytest.fixture
def aws(tmp_path: Path) -> Iterator[StandIn]:
    with StandIn(tmp_path / "stand_in") as started:
        yield started


def test_a_time_out_after_publishing_and_before_answering_loses_nothing_and_keeps_the_order(
    tmp_path: Path, aws: StandIn
) -> None:
    dead = Queue.make(aws)
    redrive = json.dumps({"deadLetterTargetArn": dead.arn, "maxReceiveCount": 5})
    queue = Queue.make(aws, visibility=HIDDEN, RedrivePolicy=redrive)
    hung = tmp_path / "hung"
    with IotData() as iot:
        function_on(aws, queue, package(HANGING.format(flag=str(hung))), iot.url, dead.url)
        for second in range(30):
            for device in DEVICES:
                queue.send([packed(f"aircraft/{device}/position", fix(second))], str(shard_of(device)))

        wait_until(lambda: queue.empty, PATIENCE, lambda: f"{queue.visible} and {queue.hidden} wait")

        assert hung.exists()
        assert dead.empty
        fixes = {device: published(iot, device) for device in DEVICES}
        assert sum(map(len, fixes.values())) > 90, "the batch that timed out did not come twice"
        for seconds in fixes.values():
            assert first_times(seconds) == list(range(30))


def fix(second: int) -> bytes:
    when = f"2018-08-01T05:00:{second:02}.000Z"
    return json.dumps({"timestamp": when, "latitude": 47, "longitude": 8}).encode()


def published(iot: IotData, device: str) -> list[int]:
    """The seconds of a device's fixes, in the order in which they arrived."""
    fixes = [each for topic, payload in iot.got for each in json.loads(payload)]
    return [int(each["timestamp"][17:19]) for each in fixes if each["deviceId"] == device]


def first_times(seconds: list[int]) -> list[int]:
    """Each when it came for the first time."""
    return list(dict.fromkeys(seconds))


def function_on(aws: StandIn, queue: Queue, code: bytes, iot_url: str, dead_url: str) -> None:
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = aws.client("iam").create_role(RoleName="republisher", AssumeRolePolicyDocument=document)
    functions = aws.client("lambda")
    functions.create_function(
        FunctionName="republisher",
        Runtime="python3.13",
        Role=role["Role"]["Arn"],
        Handler="hanging.handler",
        Code={"ZipFile": code},
        Environment={
            "Variables": {"OVERFLY_IOT_ENDPOINT": iot_url, "OVERFLY_DEAD_LETTER_QUEUE_URL": dead_url}
        },
        Timeout=TIMEOUT,
    )
    mapping: dict[str, Any] = {"BatchSize": 10, "FunctionResponseTypes": ["ReportBatchItemFailures"]}
    functions.create_event_source_mapping(EventSourceArn=queue.arn, FunctionName="republisher", **mapping)


def package(handler: str) -> bytes:
    """A function of the handler, ingest and this environment's msgspec."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("hanging.py", handler)
        for root in (REPOSITORY / "ingest", Path(msgspec.__file__).parent):
            for path in root.rglob("*"):
                if path.suffix in (".py", ".so"):
                    archive.write(path, path.relative_to(root.parent))
    return file.getvalue()
