"""A queue as source, at the stand-in; where AWS would misbehave, behind the proxy."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from ingest.aws.queue_source import BLIP_SECONDS, LIVE_SECONDS, QueueSource
from ingest.envelope import packed
from ingest.messages import Message, receipts
from tests.queue_proxy import QueueProxy
from tests.queues import Queue
from tests.stand_in import DESTINATION, StandIn
from tests.waiting import wait_until

RECEIVE = frozenset({"ReceiveMessage"})
DELETE = frozenset({"DeleteMessageBatch"})
BOTH = pytest.mark.parametrize("fifo", [True, False], ids=["FIFO", "standard"])


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    with StandIn(tmp_path_factory.mktemp("aws")) as stand_in:
        yield stand_in


@contextmanager
def source_of(
    aws: StandIn, queue: Queue, endpoint: str | None = None, **options: Any
) -> Iterator[QueueSource]:
    at = {} if endpoint is None else {"endpoint_url": endpoint}
    source = QueueSource(aws.client("sqs", DESTINATION, **at), queue.url, poll_seconds=1, **options)
    try:
        yield source
    finally:
        source.close()


def received(source: QueueSource, count: int, seconds: float = 20) -> list[Message]:
    """So many messages, none acknowledged."""
    messages: list[Message] = []
    wait_until(
        lambda: messages.extend(source.receive(0.2)) or len(messages) >= count,
        seconds,
        lambda: f"{len(messages)} of {count} came; {source.problem}",
    )
    assert len(messages) == count
    return messages


def turned(source: QueueSource, true: Callable[[], bool], seconds: float = 20) -> None:
    """Turns the source, from which nothing is to come, until it is true."""

    def turn() -> bool:
        assert source.receive(0.1) == []
        return true()

    wait_until(turn, seconds)


def numbers(count: int, start: int = 0) -> list[bytes]:
    return [b'{"n":%d}' % number for number in range(start, start + count)]


@BOTH
def test_messages_come_in_order_and_are_deleted_when_they_are_acknowledged(aws: StandIn, fifo: bool) -> None:
    queue = Queue.make(aws, fifo=fifo)
    queue.send(numbers(25))
    messages = []
    with source_of(aws, queue) as source:
        for count in (10, 10, 5) if fifo else (25,):  # the rest of a FIFO group waits for those before
            messages += received(source, count)
            time.sleep(0.2)  # time in which something could be deleted too early
            assert queue.hidden == count
            source.acknowledge(receipts(messages[-count:]))
        turned(source, lambda: queue.empty)

    assert [message.payload for message in messages] == numbers(25)


def test_a_body_is_deleted_when_all_that_was_made_of_it_is_acknowledged(aws: StandIn) -> None:
    queue = Queue.make(aws)
    queue.send(
        [b"\n".join(packed(f"aircraft/d{n}/position", payload) for n, payload in enumerate(numbers(3)))]
    )
    with source_of(aws, queue) as source:
        messages = received(source, 3)
        source.acknowledge(receipts(messages[:2]))
        time.sleep(0.5)  # time in which it could be deleted too early
        assert queue.hidden == 1
        source.acknowledge(receipts(messages[2:]))
        turned(source, lambda: queue.empty)

    assert [message.topic for message in messages] == [f"aircraft/d{n}/position" for n in range(3)]


def test_raw_payloads_and_envelopes_come_alike_and_nothing_is_too_odd_to_be_handed_on(aws: StandIn) -> None:
    queue = Queue.make(aws)
    odd = packed("a/b", b"\xff\x00 no JSON")
    queue.send([b'{"deviceId":"x"}', odd, "no JSON at all", odd + b"\n[torn"])
    with source_of(aws, queue) as source:
        messages = received(source, 5)
        source.acknowledge(receipts(messages))

    assert [(message.topic, message.payload) for message in messages] == [
        (None, b'{"deviceId":"x"}'),
        ("a/b", b"\xff\x00 no JSON"),
        (None, b"no JSON at all"),
        ("a/b", b"\xff\x00 no JSON"),
        (None, b"[torn"),
    ]


def test_what_is_held_is_nobody_elses_however_long_it_takes(aws: StandIn) -> None:
    """As while the database is away, for longer than the queue hides a message by itself."""
    queue = Queue.make(aws, fifo=False, visibility=4)
    queue.send(numbers(12))
    with source_of(aws, queue) as source:
        messages = received(source, 12)
        ends = time.monotonic() + 7
        while time.monotonic() < ends:
            source.rest(0.5)
            other = queue.client.receive_message(QueueUrl=queue.url, MaxNumberOfMessages=10)
            assert "Messages" not in other
        assert not any(message.redelivered for message in messages)
        source.acknowledge(receipts(messages))
        turned(source, lambda: queue.empty)


def test_no_more_is_held_than_the_bounds_say(aws: StandIn) -> None:
    queue = Queue.make(aws, fifo=False)
    large = b'"' + b"x" * (1 << 19) + b'"'
    queue.send([large])
    for _ in range(11):
        queue.send([large])
    with source_of(aws, queue, held_bytes=4 << 20, batch_bytes=1 << 20) as source:
        batch = source.receive(0)  # starts the threads, and on a busy machine brings the first
        wait_until(lambda: source.rest(0.2) or queue.hidden > 0, 60)
        source.rest(2.0)
        assert queue.hidden <= 8
        taken = 0
        while taken < 12:
            assert len(batch) <= 2
            assert queue.hidden <= 8
            source.acknowledge(receipts(batch))
            taken += len(batch)
            batch = source.receive(1.0) if taken < 12 else []
        turned(source, lambda: queue.empty)


def test_a_count_of_small_messages_is_bounded_too(aws: StandIn) -> None:
    queue = Queue.make(aws, fifo=False)
    queue.send(numbers(40))
    with source_of(aws, queue, most_held=15) as source:
        messages = source.receive(0)  # starts the threads, and on a busy machine brings the first
        wait_until(lambda: source.rest(0.2) or queue.hidden >= 15, 60)
        source.rest(1.0)
        assert queue.hidden == 15
        messages += received(source, 15 - len(messages))
        source.acknowledge(receipts(messages))
        messages += received(source, 15)
        source.acknowledge(receipts(messages[15:]))
        messages += received(source, 10)
        source.acknowledge(receipts(messages[30:]))

    assert [message.payload for message in messages] == numbers(40)


def test_closing_deletes_what_is_safe_and_shows_others_the_rest_at_once(aws: StandIn) -> None:
    queue = Queue.make(aws)
    queue.send(numbers(5))
    with source_of(aws, queue) as source:
        source.acknowledge(receipts(received(source, 5)[:2]))
    again = queue.client.receive_message(QueueUrl=queue.url, MaxNumberOfMessages=10)["Messages"]

    assert [message["Body"].encode() for message in again] == numbers(3, start=2)


def test_after_a_reader_was_killed_its_messages_come_again_and_say_so(aws: StandIn) -> None:
    queue = Queue.make(aws, visibility=2)
    queue.send(numbers(3))
    queue.client.receive_message(QueueUrl=queue.url, MaxNumberOfMessages=3)  # and never deleted
    with source_of(aws, queue) as source:
        messages = received(source, 3)
        source.acknowledge(receipts(messages))

    assert [message.payload for message in messages] == numbers(3)
    assert all(message.redelivered for message in messages)


def test_a_queue_that_refuses_for_seconds_is_waited_for_and_counts_as_a_new_connection(aws: StandIn) -> None:
    queue = Queue.make(aws)
    with QueueProxy(aws.endpoint) as proxy, source_of(aws, queue, proxy.url) as source:
        turned(source, lambda: source.subscribed and source.drained)
        assert (source.connection, source.problem) == (1, None)
        with proxy.refusing("denied", operations=RECEIVE):
            turned(source, lambda: source.problem is not None)
            assert not source.subscribed
            assert not source.drained
            assert "AccessDenied" in str(source.problem)
            queue.send(numbers(2))
            time.sleep(BLIP_SECONDS + 0.2)  # longer than what still is the same connection
        source.acknowledge(receipts(received(source, 2)))
        assert (source.connection, source.problem) == (2, None)


def test_a_single_failure_is_no_new_connection(aws: StandIn) -> None:
    queue = Queue.make(aws)
    with QueueProxy(aws.endpoint) as proxy, source_of(aws, queue, proxy.url) as source:
        turned(source, lambda: source.subscribed)
        with proxy.refusing("failing", operations=RECEIVE):
            turned(source, lambda: not source.subscribed)
        turned(source, lambda: source.subscribed)
        assert source.connection == 1


def test_a_queue_that_is_not_there_yet_is_waited_for(aws: StandIn) -> None:
    queue = Queue.make(aws)
    queue.client.delete_queue(QueueUrl=queue.url)
    with source_of(aws, queue) as source:
        turned(source, lambda: source.problem is not None)
        assert "NonExistentQueue" in str(source.problem) or "DoesNotExist" in str(source.problem)
        queue.client.create_queue(
            QueueName=queue.url.rpartition("/")[2],
            Attributes={"FifoQueue": "true", "VisibilityTimeout": "20"},
        )
        queue.send(numbers(1))
        source.acknowledge(receipts(received(source, 1)))


def test_what_cannot_be_deleted_is_told_kept_hidden_and_not_handed_out_again(aws: StandIn) -> None:
    queue = Queue.make(aws, visibility=4)
    queue.send(numbers(3))
    with QueueProxy(aws.endpoint) as proxy, source_of(aws, queue, proxy.url) as source:
        messages = received(source, 3)
        with proxy.refusing("denied", operations=DELETE):
            source.acknowledge(receipts(messages))
            turned(source, lambda: not source.subscribed)
            assert "AccessDenied" in str(source.problem)
            later = time.monotonic() + 9  # long enough that a pause between two attempts could outlast 4 s
            turned(source, lambda: time.monotonic() > later)
            assert queue.hidden == 3
        turned(source, lambda: queue.empty and source.subscribed)


def test_drained_is_the_live_edge_and_not_a_backlog(aws: StandIn) -> None:
    queue = Queue.make(aws, fifo=False)
    queue.send(numbers(6))
    time.sleep(LIVE_SECONDS + 1.2)  # longer than what is live has waited
    with source_of(aws, queue, most_held=2) as source:
        for _ in range(3):
            source.acknowledge(receipts(received(source, 2)))
            assert not source.drained
        turned(source, lambda: source.drained)
        queue.send(numbers(1))
        source.acknowledge(receipts(received(source, 1)))
        assert source.drained


def given_back(queue: Queue, most: int = 10) -> None:
    """As by a reader that ended: what it had received comes again."""
    answer = queue.client.receive_message(QueueUrl=queue.url, MaxNumberOfMessages=most)
    for message in answer["Messages"]:
        queue.client.change_message_visibility(
            QueueUrl=queue.url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0
        )


def test_a_message_that_comes_again_tells_nothing_of_the_live_edge(aws: StandIn) -> None:
    queue = Queue.make(aws, fifo=False)
    queue.send(numbers(1))
    given_back(queue)
    with source_of(aws, queue) as source:
        [message] = received(source, 1)
        assert message.redelivered
        assert not source.drained


def test_a_new_message_beside_one_that_waited_is_not_the_live_edge(aws: StandIn) -> None:
    queue = Queue.make(aws)
    queue.send(numbers(1))
    time.sleep(LIVE_SECONDS + 1.2)  # longer than what is live has waited
    queue.send(numbers(1, start=1))
    with source_of(aws, queue) as source:
        received(source, 2)
        assert not source.drained


def test_that_nothing_comes_proves_nothing_while_what_we_hold_hides_the_rest_of_its_group(
    aws: StandIn,
) -> None:
    queue = Queue.make(aws)
    queue.send(numbers(11))
    given_back(queue)
    with QueueProxy(aws.endpoint) as proxy, source_of(aws, queue, proxy.url) as source:
        messages = received(source, 10)
        asked = proxy.requests["ReceiveMessage"]
        turned(source, lambda: proxy.requests["ReceiveMessage"] >= asked + 2)
        source.receive(0.1)
        assert (queue.visible, source.drained) == (1, False)
        source.acknowledge(receipts(messages))
        source.acknowledge(receipts(received(source, 1)))


def test_after_a_rest_the_queue_has_to_be_found_drained_again(aws: StandIn) -> None:
    queue = Queue.make(aws)
    with source_of(aws, queue) as source:
        turned(source, lambda: source.drained)
        source.rest(0.01)
        assert not source.drained
        turned(source, lambda: source.drained)


def test_wake_ends_a_wait_at_once(aws: StandIn) -> None:
    queue = Queue.make(aws)
    with source_of(aws, queue) as source:
        source.receive(0)
        source.wake()
        source.wake()
        began = time.monotonic()
        assert source.receive(5) == []
        source.wake()
        source.rest(5)
        assert time.monotonic() - began < 5


def test_no_right_to_look_at_the_queue_is_no_fault(aws: StandIn) -> None:
    queue = Queue.make(aws)
    queue.send(numbers(3))
    look = frozenset({"GetQueueAttributes"})
    with (
        QueueProxy(aws.endpoint) as proxy,
        proxy.refusing("denied", operations=look),
        source_of(aws, queue, proxy.url) as source,
    ):
        messages = received(source, 3)
        assert (source.subscribed, source.depth) == (True, None)
        time.sleep(0.2)  # it is held for so long
        assert source.held_seconds > 0.1
        source.acknowledge(receipts(messages))
        turned(source, lambda: queue.empty)
        assert source.held_seconds == 0.0


def test_what_breaks_in_a_thread_of_the_source_is_raised_where_it_is_read() -> None:
    source = QueueSource(None, "https://sqs.eu-central-1.amazonaws.com/222222222222/no-client")

    with pytest.raises(AttributeError):
        for _ in range(3):
            source.receive(1)
