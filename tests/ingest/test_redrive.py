"""`overfly redrive`: the dead-letter queue listed, and sent back."""

import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from threading import Event

import pytest
from botocore.exceptions import ClientError

from ingest.redrive import DeadLetterBox, Redriven
from ingest.republishing.bodies import Undeliverable
from ingest.republishing.dead_letters import DeadLetter, DeadLetterQueue
from tests.queue_proxy import QueueProxy
from tests.queues import Queue
from tests.stand_in import DESTINATION, StandIn


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    with StandIn(tmp_path_factory.mktemp("stand-in")) as started:
        yield started


@pytest.fixture(params=[True, False], ids=["fifo", "standard"])
def fifo(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture
def dead(aws: StandIn, fifo: bool) -> Queue:
    return Queue.make(aws, fifo=fifo)


@pytest.fixture
def work(aws: StandIn, fifo: bool, dead: Queue) -> Queue:
    policy = json.dumps({"deadLetterTargetArn": dead.arn, "maxReceiveCount": "3"})
    return Queue.make(aws, fifo=fifo, RedrivePolicy=policy)


def put_aside(dead: Queue, bodies: Sequence[str], reason: str = "malformed", group: str = "7") -> None:
    letters = [DeadLetter(Undeliverable(reason, "why\tit is", body), ("m1",), group) for body in bodies]
    assert DeadLetterQueue(dead.client, dead.url).unsent(letters) == []


def bodies(queue: Queue) -> list[str]:
    """All bodies in the queue, taken out of it, in its order."""
    found: list[str] = []
    while messages := queue.client.receive_message(QueueUrl=queue.url, MaxNumberOfMessages=10).get(
        "Messages", []
    ):
        for message in messages:
            queue.client.delete_message(QueueUrl=queue.url, ReceiptHandle=message["ReceiptHandle"])
            found.append(message["Body"])
    return found


def redrive(aws: StandIn, work: Queue, *options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [Path(sys.executable).with_name("overfly"), "redrive", *options],
        env={**os.environ, **aws.environment(DESTINATION), "OVERFLY_QUEUE_URL": work.url, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def send_back(dead: Queue, work: Queue, reason: str | None = None, stop: Event | None = None) -> Redriven:
    return DeadLetterBox(dead.client, dead.url).send_back(work.url, reason, lambda _: None, stop or Event())


def test_the_list_says_reason_detail_time_receives_and_the_first_of_the_body_and_takes_nothing(
    aws: StandIn, work: Queue, dead: Queue
) -> None:
    put_aside(dead, ["no JSON\n" + "x" * 500])

    for times in (1, 2):
        listed = redrive(aws, work)
        assert listed.returncode == 0, listed.stderr
        first, detail, body = listed.stdout.splitlines()
        assert first.startswith("malformed: sent 20")
        assert f"received {'1 time' if times == 1 else '2 times'}, " in first
        assert detail == "    why\\tit is"
        assert body.startswith("    no JSON\\nxxx")
        assert body.endswith("x…")
        assert "1 letter listed; the queue has about 1" in listed.stderr
    assert dead.visible == 1


def test_letters_go_back_in_their_order_and_only_then_out_of_the_dead_letter_queue(
    aws: StandIn, work: Queue, dead: Queue
) -> None:
    sent = [f"letter {number}" for number in range(25)]
    put_aside(dead, sent)

    done = redrive(aws, work, "--send")

    assert done.returncode == 0, done.stderr
    assert f"25 letters sent back to {work.url}; 0 left" in done.stdout
    assert dead.empty
    assert bodies(work) == sent


def test_only_letters_of_the_reason_go_back_and_the_others_stay_visible(work: Queue, dead: Queue) -> None:
    put_aside(dead, ["a", "b"], "refused", group="1")
    put_aside(dead, ["c"], "malformed", group="2")

    assert send_back(dead, work, "malformed") == Redriven(1, 2)

    assert bodies(work) == ["c"]
    assert bodies(dead) == ["a", "b"]


def test_a_letter_that_sqs_moved_itself_goes_back_to_its_group(work: Queue, dead: Queue, fifo: bool) -> None:
    work.send(["worn out"], group="9")
    for _ in range(4):
        for message in work.client.receive_message(QueueUrl=work.url).get("Messages", []):
            work.client.change_message_visibility(
                QueueUrl=work.url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0
            )
    [letter] = DeadLetterBox(dead.client, dead.url).letters(10)
    assert letter.reason == "receives"

    assert send_back(dead, work, "receives") == Redriven(1, 0)

    [message] = work.client.receive_message(QueueUrl=work.url, MessageSystemAttributeNames=["All"])[
        "Messages"
    ]
    assert message["Body"] == "worn out"
    assert message["Attributes"].get("MessageGroupId") == ("9" if fifo else None)


def test_an_interruption_loses_nothing_and_the_next_one_goes_on(work: Queue, dead: Queue) -> None:
    sent = [f"letter {number}" for number in range(25)]
    put_aside(dead, sent)
    stop = Event()
    stop.set()

    assert send_back(dead, work, stop=stop) == Redriven(10, 0)
    assert dead.visible == 15
    assert send_back(dead, work) == Redriven(15, 0)

    assert bodies(work) == sent


def test_killed_between_sending_and_deleting_it_loses_nothing(aws: StandIn, work: Queue, dead: Queue) -> None:
    sent = [f"letter {number}" for number in range(200)]
    put_aside(dead, sent)
    process = subprocess.Popen(
        [Path(sys.executable).with_name("overfly"), "redrive", "--send"],
        env={**os.environ, **aws.environment(DESTINATION), "OVERFLY_QUEUE_URL": work.url},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while work.visible < 5:
        assert process.poll() is None
    process.send_signal(signal.SIGKILL)
    process.wait(10)

    hidden = dead.hidden
    back = bodies(work)

    assert len(set(back)) + dead.visible + hidden >= len(sent)
    assert list(dict.fromkeys(back)) == sent[: len(set(back))]


def test_repeated_after_it_was_cut_off_between_sending_and_deleting_a_letter_is_one_on_a_fifo_queue(
    aws: StandIn,
) -> None:
    work, dead = Queue.make(aws), Queue.make(aws)
    put_aside(dead, ["letter"])
    with QueueProxy(aws.endpoint) as proxy:
        box = DeadLetterBox(aws.client("sqs", DESTINATION, endpoint_url=proxy.url), dead.url)
        with proxy.refusing("denied", operations=frozenset({"DeleteMessage"})), pytest.raises(ClientError):
            box.send_back(work.url, None, lambda _: None, Event())
    assert (work.visible, dead.visible) == (1, 1)

    assert send_back(dead, work) == Redriven(1, 0)

    assert bodies(work) == ["letter"]


def test_a_letter_that_comes_back_at_once_is_not_sent_round_for_ever(work: Queue, dead: Queue) -> None:
    put_aside(dead, ["bad"])

    rounds = 0

    def again(_: Redriven) -> None:
        """What the republisher does with it, some time later."""
        nonlocal rounds
        time.sleep(0.2)
        rounds += 1
        assert rounds < 50
        for body in bodies(work):
            put_aside(dead, [body])

    redriven = DeadLetterBox(dead.client, dead.url).send_back(work.url, None, again, Event())

    assert redriven.left == 1
    assert dead.visible == 1


def test_a_dead_letter_too_large_for_its_reason_is_cut_to_fit(dead: Queue) -> None:
    put_aside(dead, ["ü" * (1 << 19)])

    [body] = bodies(dead)

    assert (1 << 20) - 200 < len(body.encode()) < 1 << 20
    assert set(body) == {"ü"}


def test_a_dead_letter_sent_twice_is_one_on_a_fifo_queue(aws: StandIn) -> None:
    dead = Queue.make(aws, fifo=True)
    letter = DeadLetter(Undeliverable("malformed", "why", uuid.uuid4().hex), ("m1",), "7")

    for _ in range(2):
        assert DeadLetterQueue(dead.client, dead.url).unsent([letter]) == []

    assert dead.visible == 1


def test_a_dead_letter_queue_of_the_other_kind_is_a_fault_of_the_settings(aws: StandIn) -> None:
    work, dead = Queue.make(aws, fifo=True), Queue.make(aws, fifo=False)
    environment = {"OVERFLY_QUEUE_URL": work.url, "OVERFLY_DEAD_LETTER_QUEUE_URL": dead.url}

    ended = subprocess.run(
        [Path(sys.executable).with_name("overfly"), "redrive"],
        env={**os.environ, **aws.environment(DESTINATION), **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert ended.returncode == 2
    assert "the dead-letter queue of a FIFO queue is a FIFO queue" in ended.stderr


@pytest.mark.parametrize("operation", ["GetQueueUrl", "ReceiveMessage"])
def test_who_may_not_use_the_dead_letter_queue_is_told_which_it_is_and_what_names_it(
    aws: StandIn, work: Queue, dead: Queue, operation: str
) -> None:
    with QueueProxy(aws.endpoint) as proxy, proxy.refusing("denied", operations=frozenset({operation})):
        ended = redrive(aws, work, AWS_ENDPOINT_URL_SQS=proxy.url)

    assert ended.returncode == 1
    assert f"{operation}: AccessDenied" in ended.stderr
    assert dead.arn in ended.stderr or dead.url in ended.stderr
    assert "OVERFLY_DEAD_LETTER_QUEUE_URL" in ended.stderr


@pytest.mark.parametrize("options", [[], ["--send"]], ids=["listed", "sent"])
def test_a_dead_letter_queue_given_as_one_of_rule_errors_is_told_for_what_it_is(
    aws: StandIn, work: Queue, dead: Queue, options: list[str]
) -> None:
    put_aside(dead, ["no JSON"])

    ended = redrive(aws, work, "--rule-errors", dead.url, *options, OVERFLY_IOT_ENDPOINT="http://127.0.0.1:9")

    assert ended.returncode == 0, ended.stderr
    assert "1 letter of no AWS IoT rule's error action" in ended.stderr
    assert "a dead-letter queue is read without --rule-errors" in ended.stderr
    assert dead.visible == 1
