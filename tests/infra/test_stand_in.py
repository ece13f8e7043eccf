"""The stand-in's launcher: loopback only, ends with its starter, keeps its state, and its amendments."""

import io
import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from service.demo.ports import why_not
from tests.brokers import free_port
from tests.stand_in import DESTINATION, ENVIRONMENT, PROGRAM, REGION, REPOSITORY, SOURCE, StandIn
from tests.waiting import wait_until

LISTENS = "0A"
"""State of a listening socket in /proc/net/tcp."""


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    with StandIn(tmp_path_factory.mktemp("stand-in"), enforce_iam=True) as running:
        yield running


def listening_addresses(pid: int) -> set[str]:
    """IPv4 and IPv6 addresses, as /proc writes them, where a process listens."""
    sockets = {link.readlink().name for link in Path(f"/proc/{pid}/fd").iterdir() if link.is_symlink()}
    lines = [
        line.split()
        for table in ("tcp", "tcp6")
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]
    ]
    return {
        fields[1].partition(":")[0]
        for fields in lines
        if fields[3] == LISTENS and f"socket:[{fields[9]}]" in sockets
    }


def test_every_listener_is_at_the_loopback_interface(aws: StandIn) -> None:
    assert aws.process is not None
    assert listening_addresses(aws.process.pid) == {"0100007F"}


def test_stand_in_ends_when_its_starter_is_killed(tmp_path: Path) -> None:
    port, mqtt_port = free_port(), free_port()
    program = (
        "import subprocess, sys, time\nsubprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE); time.sleep(60)"
    )
    arguments = [
        "--port",
        port,
        "--mqtt-port",
        mqtt_port,
        "--state",
        tmp_path / "s",
        "--deliveries",
        tmp_path / "d",
    ]
    starter = subprocess.Popen([sys.executable, "-c", program, PROGRAM, *map(str, arguments)])
    wait_until(lambda: why_not(port) and why_not(mqtt_port), 30)
    os.kill(starter.pid, signal.SIGKILL)
    starter.wait()
    wait_until(lambda: not (why_not(port) or why_not(mqtt_port)), 20)


def test_state_outlives_sigterm_but_not_sigkill(tmp_path: Path) -> None:
    aws = StandIn(tmp_path / "stand-in").start()
    aws.client("sqs").create_queue(QueueName="early")
    aws.restart()
    aws.client("sqs").create_queue(QueueName="late")
    aws.kill()
    with aws:
        urls = aws.client("sqs").list_queues()["QueueUrls"]
    assert [url.rpartition("/")[2] for url in urls] == ["early"]


def test_changed_ministack_is_refused_with_what_changed_and_what_to_do() -> None:
    program = (
        "import ministack.app\n"
        "from pathlib import Path\n"
        "from infra.stand_in import amendments\n"
        "amendments.READ_WHEN_AMENDED['services.sns._fanout'] = 'another'\n"
        "amendments.READ_WHEN_AMENDED['services.sns._gone'] = 'another'\n"
        "amendments.amend(Path('unused'))"
    )
    done = subprocess.run(
        [ENVIRONMENT / "bin/python", "-c", program],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    said = done.stderr.strip().splitlines()[-1]
    assert "services.sns._fanout has changed (its digest is " in said
    assert "services.sns._gone is gone" in said
    assert "Read what changed, mend infra/stand_in/" in said


def test_mails_and_text_messages_are_kept_after_filtering(aws: StandIn) -> None:
    sns, bus = aws.client("sns"), aws.client("events")
    topic = sns.create_topic(Name="alerts")["TopicArn"]
    entered = {"FilterPolicyScope": "MessageBody", "FilterPolicy": '{"detail":{"EventType":["ENTER"]}}'}
    sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="dispatcher@example.com")
    sns.subscribe(TopicArn=topic, Protocol="sms", Endpoint="+41790000000", Attributes=entered)
    bus.put_rule(Name="to-topic", EventPattern='{"source":["overfly"]}')
    bus.put_targets(Rule="to-topic", Targets=[{"Id": "topic", "Arn": topic}])
    for kind in ("ENTER", "EXIT"):
        bus.put_events(
            Entries=[{"Source": "overfly", "DetailType": "test", "Detail": f'{{"EventType":"{kind}"}}'}]
        )
    sns.publish(PhoneNumber="+41791111111", Message="straight")
    wait_until(lambda: len(aws.deliveries()) == 4, 60)
    seen = [
        (each.protocol, each.endpoint, each.topic_arn, json.loads(each.message)["detail"]["EventType"])
        for each in aws.deliveries()
        if each.topic_arn
    ]
    assert sorted(seen) == [
        ("email", "dispatcher@example.com", topic, "ENTER"),
        ("email", "dispatcher@example.com", topic, "EXIT"),
        ("sms", "+41790000000", topic, "ENTER"),
    ]
    [straight] = [each for each in aws.deliveries() if not each.topic_arn]
    assert (straight.endpoint, straight.message) == ("+41791111111", "straight")


@dataclass(frozen=True)
class Rights:
    """Of an IoT rule's role in the source account, at the queue of the destination account."""

    trusted: bool = True
    role_may: bool = True
    queue_lets: bool = True


@pytest.mark.parametrize(
    ("number", "rights", "arrives"),
    [
        (1, Rights(), True),
        (2, Rights(trusted=False), False),
        (3, Rights(role_may=False), False),
        (4, Rights(queue_lets=False), False),
    ],
)
def test_iot_rule_sends_as_its_role_and_what_is_denied_goes_to_the_error_action(
    aws: StandIn, number: int, rights: Rights, arrives: bool
) -> None:
    queue, errors = f"positions-{number}", f"errors-{number}"
    sqs, sqs_of_source = aws.client("sqs"), aws.client("sqs", SOURCE)
    queue_url = sqs.create_queue(QueueName=queue)["QueueUrl"]
    errors_url = sqs_of_source.create_queue(QueueName=errors)["QueueUrl"]
    role = make_role(aws, f"rule-{number}", "iot.amazonaws.com" if rights.trusted else "ec2.amazonaws.com")
    allow(aws, role, [arn_of(errors, SOURCE), *([arn_of(queue, DESTINATION)] if rights.role_may else [])])
    error_role = make_role(aws, f"errors-{number}", "iot.amazonaws.com")
    allow(aws, error_role, [arn_of(errors, SOURCE)])
    if rights.queue_lets:
        policy = statement([arn_of(queue, DESTINATION)], Principal={"AWS": role})
        sqs.set_queue_attributes(QueueUrl=queue_url, Attributes={"Policy": policy})
    aws.client("iot", SOURCE).create_topic_rule(
        ruleName=f"rule{number}",
        topicRulePayload={
            "sql": f"SELECT * FROM 'aircraft/{number}/position'",  # noqa: S608 - AWS IoT's, and ours
            "actions": [{"sqs": {"roleArn": role, "queueUrl": queue_url, "useBase64": False}}],
            "errorAction": {"sqs": {"roleArn": error_role, "queueUrl": errors_url, "useBase64": False}},
        },
    )
    aws.client("iot-data", SOURCE).publish(topic=f"aircraft/{number}/position", qos=1, payload=b'{"a":1}')
    arrived = bodies(sqs, queue_url)
    refused = bodies(sqs_of_source, errors_url)
    assert ([json.loads(body) for body in arrived], len(refused)) == (([{"a": 1}], 0) if arrives else ([], 1))


def arn_of(queue: str, account: str) -> str:
    return f"arn:aws:sqs:{REGION}:{account}:{queue}"


def statement(resources: list[str], **more: Any) -> str:
    allowed = {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": resources, **more}
    return json.dumps({"Version": "2012-10-17", "Statement": [allowed]})


def make_role(aws: StandIn, name: str, service: str, account: str = SOURCE) -> str:
    trust = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    made = aws.client("iam", account).create_role(RoleName=name, AssumeRolePolicyDocument=document)
    arn: str = made["Role"]["Arn"]
    return arn


def allow(aws: StandIn, role: str, queues: list[str], account: str = SOURCE) -> None:
    name = role.rpartition("/")[2]
    aws.client("iam", account).put_role_policy(
        RoleName=name, PolicyName="send", PolicyDocument=statement(queues)
    )


def bodies(sqs: Any, queue_url: str) -> list[str]:
    messages = sqs.receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10).get("Messages", [])
    return [message["Body"] for message in messages]


COUNTING = """
import boto3, os

def handler(event, context):
    boto3.client("sqs").send_message(QueueUrl=os.environ["COUNTS"], MessageBody=str(len(event["Records"])))
"""


@pytest.mark.parametrize(
    ("name", "batch_size", "window", "counts"),
    [("large", 50, 2, [50, 10]), ("gathered", 100, 2, [60])],
)
def test_batches_of_a_lambda_function_are_as_large_and_wait_as_long_as_its_mapping_says(
    aws: StandIn, name: str, batch_size: int, window: int, counts: list[int]
) -> None:
    sqs = aws.client("sqs")
    queue_url = sqs.create_queue(QueueName=f"{name}-in")["QueueUrl"]
    counts_url = sqs.create_queue(QueueName=f"{name}-counts")["QueueUrl"]
    role = make_role(aws, name, "lambda.amazonaws.com", DESTINATION)
    allow(aws, role, [arn_of(f"{name}-counts", DESTINATION)], DESTINATION)
    functions = aws.client("lambda")
    functions.create_function(
        FunctionName=name,
        Runtime="python3.13",
        Role=role,
        Handler="counting.handler",
        Code={"ZipFile": zipped("counting.py", COUNTING)},
        Environment={"Variables": {"COUNTS": counts_url}},
        Timeout=20,
    )
    functions.create_event_source_mapping(
        EventSourceArn=arn_of(f"{name}-in", DESTINATION),
        FunctionName=name,
        BatchSize=batch_size,
        MaximumBatchingWindowInSeconds=window,
    )
    for ten in range(6):
        entries = [{"Id": f"{ten}-{one}", "MessageBody": "x"} for one in range(10)]
        sqs.send_message_batch(QueueUrl=queue_url, Entries=entries)
    seen: list[int] = []
    deadline = time.monotonic() + 30
    while sum(seen) < 60 and time.monotonic() < deadline:
        seen += map(int, bodies(sqs, counts_url))
        time.sleep(0.1)  # between two looks at the queue
    assert sorted(seen, reverse=True) == counts


def zipped(name: str, text: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(name, text)
    return file.getvalue()
