"""Sending to a queue at the stand-in, behind a proxy whose answer leaves entries out."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from ingest.aws.queue_sender import Entry, Outcome, QueueSender
from tests.queue_proxy import Answer, Forward, QueueProxy
from tests.queues import Queue
from tests.stand_in import DESTINATION, StandIn
from tests.waiting import wait_until


class SilentProxy(QueueProxy):
    """Of an entry with this body it neither sends nor says anything."""

    silent_about = ""

    def answer(self, operation: str, request: dict[str, Any], forward: Forward) -> Answer:
        if operation == "SendMessageBatch":
            kept = [each for each in request["Entries"] if each["MessageBody"] != self.silent_about]
            request = {**request, "Entries": kept}
        return super().answer(operation, request, forward)


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    with StandIn(tmp_path_factory.mktemp("aws")) as stand_in:
        yield stand_in


def sent(sender: QueueSender, entries: list[Entry]) -> Outcome:
    outcomes: list[Outcome] = []
    sender.send(entries)
    wait_until(lambda: outcomes.extend(sender.outcomes()) or bool(outcomes), 60)
    [outcome] = outcomes
    return outcome


def test_an_entry_that_the_answer_does_not_name_is_refused_for_now_and_can_be_sent_again(
    aws: StandIn,
) -> None:
    queue = Queue.make(aws)
    entries = [Entry(n, [line], len(line), 0.0, [(0, 1)]) for n, line in enumerate([b"[0]", b"[1]", b"[2]"])]
    with SilentProxy(aws.endpoint) as proxy:
        sender = QueueSender(aws.client("sqs", DESTINATION, endpoint_url=proxy.url), queue.url)
        proxy.silent_about = "[1]"
        first = sent(sender, entries)
        proxy.silent_about = ""
        second = sent(sender, first.refused)
        sender.close()

    assert first.accepted == [entries[0], entries[2]]
    assert (first.refused, first.unfit) == ([entries[1]], [])
    assert first.refusal == "SendMessageBatch: 1 of 3 entries refused: no answer"
    assert (second.accepted, second.refusal) == ([entries[1]], None)
    answer = queue.client.receive_message(QueueUrl=queue.url, MaxNumberOfMessages=10)
    assert sorted(json.loads(message["Body"]) for message in answer["Messages"]) == [[0], [1], [2]]
