"""The queue proxy does to messages what AWS may do, within its window, and refuses as it is told."""

import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError

from tests.queue_proxy import Disorder, Fault, QueueProxy, Refusal
from tests.stand_in import StandIn

BODIES = [str(number) for number in range(60)]


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    with StandIn(tmp_path_factory.mktemp("stand-in")) as running:
        yield running


def new_queue(aws: StandIn, name: str, **attributes: str) -> str:
    url: str = aws.client("sqs").create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    return url


def send(sqs: Any, queue: str, bodies: list[str], **options: str) -> list[dict[str, Any]]:
    """The answers to batches of ten."""
    batches = [bodies[start : start + 10] for start in range(0, len(bodies), 10)]
    return [
        sqs.send_message_batch(
            QueueUrl=queue, Entries=[{"Id": f"b{body}", "MessageBody": body, **options} for body in batch]
        )
        for batch in batches
    ]


def receive_all(sqs: Any, queue: str, seconds: float) -> list[str]:
    """The bodies in the order in which they came, each deleted, until nothing came for so long."""
    bodies: list[str] = []
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        answer = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, WaitTimeSeconds=int(seconds))
        messages = answer.get("Messages", [])
        if messages:
            deadline = time.monotonic() + seconds
            bodies += [message["Body"] for message in messages]
            entries = [
                {"Id": str(place), "ReceiptHandle": message["ReceiptHandle"]}
                for place, message in enumerate(messages)
            ]
            deleted = sqs.delete_message_batch(QueueUrl=queue, Entries=entries)
            assert len(deleted["Successful"]) == len(messages)
    return bodies


def test_standard_queue_comes_shuffled_with_some_messages_twice_and_none_missing(aws: StandIn) -> None:
    queue = new_queue(aws, "shuffled")
    send(aws.client("sqs"), queue, BODIES)
    with QueueProxy(aws.endpoint, Disorder(window=1.0, delayed=0.3, redelivered=0.2, seed=7)) as proxy:
        received = receive_all(aws.client("sqs", endpoint_url=proxy.url), queue, seconds=1.5)
        assert sorted(set(received), key=int) == BODIES
        assert received != sorted(received, key=int)
        assert proxy.delayed > 0
        assert len(received) - len(BODIES) == proxy.redelivered > 0
    left = aws.client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])["Attributes"]
    assert left["ApproximateNumberOfMessages"] == left["ApproximateNumberOfMessagesNotVisible"] == "0"


def test_same_seed_makes_the_same_disorder(aws: StandIn) -> None:
    seen = []
    for name in ("first", "second"):
        queue = new_queue(aws, name)
        send(aws.client("sqs"), queue, BODIES)
        with QueueProxy(aws.endpoint, Disorder(window=0.5, delayed=0, redelivered=0.2, seed=11)) as proxy:
            seen.append(Counter(receive_all(aws.client("sqs", endpoint_url=proxy.url), queue, seconds=1)))
    assert seen[0] == seen[1]


def test_fifo_queue_keeps_its_order_and_delivers_once(aws: StandIn) -> None:
    queue = new_queue(aws, "kept.fifo", FifoQueue="true", ContentBasedDeduplication="true")
    send(aws.client("sqs"), queue, BODIES, MessageGroupId="1")
    with QueueProxy(aws.endpoint, Disorder(window=1.0, delayed=1, redelivered=1)) as proxy:
        assert receive_all(aws.client("sqs", endpoint_url=proxy.url), queue, seconds=0.5) == BODIES


@pytest.mark.parametrize(
    ("fault", "code"),
    [("throttled", "RequestThrottled"), ("failing", "InternalFailure"), ("denied", "AccessDenied")],
)
def test_refused_request_tells_its_code_and_leaves_nothing_in_the_queue(
    aws: StandIn, fault: Fault, code: str
) -> None:
    queue = new_queue(aws, f"refused-{fault}")
    with QueueProxy(aws.endpoint) as proxy:
        sqs = aws.client("sqs", endpoint_url=proxy.url)
        with proxy.refusing(fault), pytest.raises(ClientError) as refused:
            send(sqs, queue, ["1"])
        assert refused.value.response["Error"]["Code"] == code
        assert receive_all(sqs, queue, seconds=0.1) == []
        send(sqs, queue, ["2"])
        assert receive_all(sqs, queue, seconds=0.1) == ["2"]
        assert proxy.requests["SendMessageBatch"] == 2


def test_share_of_a_batch_is_refused_entry_by_entry(aws: StandIn) -> None:
    queue = new_queue(aws, "shared")
    with QueueProxy(aws.endpoint, Disorder(window=0, delayed=0, redelivered=0, seed=3)) as proxy:
        sqs = aws.client("sqs", endpoint_url=proxy.url)
        with proxy.refusing("throttled", share=0.5):
            answers = send(sqs, queue, BODIES)
        accepted = [done["Id"] for answer in answers for done in answer.get("Successful", [])]
        refused = [fault for answer in answers for fault in answer.get("Failed", [])]
        assert sorted([*accepted, *(fault["Id"] for fault in refused)]) == sorted(
            f"b{body}" for body in BODIES
        )
        assert {(fault["Code"], fault["SenderFault"]) for fault in refused} == {("RequestThrottled", False)}
        assert accepted
        assert sorted(f"b{body}" for body in receive_all(sqs, queue, seconds=0.1)) == sorted(accepted)


def test_lost_answer_means_that_the_queue_has_what_the_sender_does_not_know_of(aws: StandIn) -> None:
    queue = new_queue(aws, "lost")
    with QueueProxy(aws.endpoint) as proxy:
        sqs = aws.client("sqs", endpoint_url=proxy.url)
        with proxy.refusing("lost"), pytest.raises(ConnectionClosedError):
            send(sqs, queue, ["1"])
        assert receive_all(sqs, queue, seconds=0.1) == ["1"]


def test_refusal_for_a_time_ends_by_itself(aws: StandIn) -> None:
    queue = new_queue(aws, "timed")
    with QueueProxy(aws.endpoint) as proxy:
        sqs = aws.client("sqs", endpoint_url=proxy.url)
        proxy.refuse(Refusal("failing"), seconds=0.5)
        with pytest.raises(ClientError):
            send(sqs, queue, ["1"])
        time.sleep(0.5)
        send(sqs, queue, ["2"])
        assert receive_all(sqs, queue, seconds=0.1) == ["2"]


def test_only_the_named_operations_are_refused(aws: StandIn) -> None:
    queue = new_queue(aws, "receiving")
    with QueueProxy(aws.endpoint) as proxy:
        sqs = aws.client("sqs", endpoint_url=proxy.url)
        with proxy.refusing("failing", operations=frozenset({"ReceiveMessage"})):
            send(sqs, queue, ["1"])
            with pytest.raises(ClientError):
                sqs.receive_message(QueueUrl=queue)
        assert receive_all(sqs, queue, seconds=0.1) == ["1"]


def test_error_of_the_queue_itself_passes_as_it_is(aws: StandIn) -> None:
    with QueueProxy(aws.endpoint) as proxy:
        sqs = aws.client("sqs", endpoint_url=proxy.url)
        with pytest.raises(sqs.exceptions.QueueDoesNotExist):
            sqs.receive_message(QueueUrl=f"{aws.endpoint}/222222222222/nowhere")
