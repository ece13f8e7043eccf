"""What the doctor says of a queue, at the stand-in with IAM enforced."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from service.doctor.finding import Finding
from service.doctor.queue import queue_findings
from tests.queues import Queue
from tests.stand_in import SOURCE, StandIn


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    with StandIn(tmp_path_factory.mktemp("aws"), enforce_iam=True) as stand_in:
        yield stand_in


def found(
    queue: Queue,
    window: float = 0,
    client: Any = None,
    *,
    reads: bool = True,
    dead_letters: str | None = None,
) -> dict[str, tuple[str, str]]:
    """Verdict and detail by subject."""
    findings: list[Finding] = list(
        queue_findings(client or queue.client, queue.url, window, reads=reads, dead_letters=dead_letters)
    )
    return {each.subject: (each.verdict, each.detail) for each in findings}


def redriven(aws: StandIn, receives: int = 5, **options: Any) -> tuple[Queue, Queue]:
    """A queue and where its dead letters go."""
    dead = Queue.make(aws, fifo=options.get("fifo", True))
    policy = json.dumps({"deadLetterTargetArn": dead.arn, "maxReceiveCount": receives})
    return Queue.make(aws, RedrivePolicy=policy, **options), dead


def test_with_a_fifo_queue_and_a_dead_letter_queue_all_is_well(aws: StandIn) -> None:
    queue, _ = redriven(aws)
    queue.send(["{}"])
    verdicts = found(queue)

    assert {subject: verdict for subject, (verdict, _) in verdicts.items()} == {
        "queue": "ok",
        "queue rights": "ok",
        "redrive policy": "ok",
        "dead-letter queue": "ok",
    }
    assert "FIFO" in verdicts["queue"][1]
    assert queue.visible == 1  # nothing was received


def test_a_standard_queue_without_a_window_is_a_warning_that_says_what_it_costs(aws: StandIn) -> None:
    verdict, detail = found(Queue.make(aws, fifo=False, visibility=30))["queue order"]

    assert verdict == "warning"
    assert "events are lost and others invented" in detail
    assert "set OVERFLY_REORDER_SECONDS=35, or read a FIFO queue" in detail


@pytest.mark.parametrize(("window", "verdict"), [(30, "warning"), (31, "ok")])
def test_a_window_must_be_above_the_visibility_timeout(aws: StandIn, window: float, verdict: str) -> None:
    order = found(Queue.make(aws, fifo=False, visibility=30), window)["queue order"]

    assert order[0] == verdict
    assert "visibility timeout" in order[1]


def test_a_queue_that_takes_less_than_the_bridge_may_send_is_a_warning(aws: StandIn) -> None:
    verdict, detail = found(Queue.make(aws, MaximumMessageSize=str(256 << 10)))["queue size"]

    assert verdict == "warning"
    assert "262,144 bytes" in detail
    assert detail.endswith("set MaximumMessageSize=1048576")


def test_no_redrive_policy_or_one_that_is_too_hasty_is_a_warning(aws: StandIn) -> None:
    without = found(Queue.make(aws))
    assert without["redrive policy"][0] == "warning"
    assert "dead-letter queue" not in without
    queue, _ = redriven(aws, receives=1)
    hasty = found(queue)
    assert (hasty["redrive policy"][0], hasty["dead-letter queue"][0]) == ("warning", "ok")
    assert "maxReceiveCount to 3 or more" in hasty["redrive policy"][1]


def letter_findings(queue: Queue, dead_letters: str) -> list[tuple[str, str]]:
    """Of the dead-letter queues, with their first word."""
    findings = queue_findings(queue.client, queue.url, 0, reads=True, dead_letters=dead_letters)
    return [
        (each.verdict, each.detail.split()[0].rstrip(","))
        for each in findings
        if each.subject == "dead-letter queue"
    ]


def test_a_dead_letter_queue_that_the_settings_name_is_looked_at_too(aws: StandIn) -> None:
    named = Queue.make(aws)
    name = named.url.rpartition("/")[2]
    alone = Queue.make(aws)
    assert letter_findings(alone, named.url) == [("ok", name)]
    said = found(alone, dead_letters=named.url)["redrive policy"]
    assert (said[0], "OVERFLY_DEAD_LETTER_QUEUE_URL" in said[1]) == ("warning", True)

    queue, dead = redriven(aws)
    named.send(["{}"])
    assert letter_findings(queue, named.url) == [("warning", "1"), ("ok", dead.url.rpartition("/")[2])]
    assert letter_findings(queue, dead.url) == [("ok", dead.url.rpartition("/")[2])]
    assert letter_findings(queue, f"{dead.url[:-5]}-gone.fifo")[0][0] == "fault"


def test_dead_letters_are_counted_and_a_dead_letter_queue_that_is_gone_is_a_fault(aws: StandIn) -> None:
    queue, dead = redriven(aws)
    dead.send(["{}", "{}"])
    verdict, detail = found(queue)["dead-letter queue"]
    assert (verdict, "2 messages wait" in detail, "overfly redrive" in detail) == ("warning", True, True)

    dead.client.delete_queue(QueueUrl=dead.url)
    assert found(queue)["dead-letter queue"][0] == "fault"


def test_a_queue_that_does_not_exist_or_does_not_answer_is_a_fault_that_says_what_to_do(aws: StandIn) -> None:
    queue = Queue.make(aws)
    deaf = aws.client("sqs", endpoint_url="http://127.0.0.1:9")
    assert found(queue, client=deaf)["queue"][0] == "fault"
    queue.client.delete_queue(QueueUrl=queue.url)
    verdict, detail = found(queue)["queue"]
    assert verdict == "fault"
    assert "mend OVERFLY_QUEUE_URL" in detail


def test_missing_rights_are_named_and_asking_for_them_takes_no_message(aws: StandIn) -> None:
    queue, _ = redriven(aws)
    queue.send(["{}"])
    other = aws.client("sqs", SOURCE)
    strange = found(queue, client=other)
    assert strange["queue"][0] == "warning"
    assert strange["queue rights"][0] == "fault"
    for action in ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility"):
        assert action in strange["queue rights"][1]
    assert queue.visible == 1


def test_where_the_queue_is_only_filled_no_right_to_read_is_asked_for(aws: StandIn) -> None:
    queue = Queue.make(aws, fifo=False)
    assert set(found(queue, reads=False)) == {"queue", "redrive policy"}
