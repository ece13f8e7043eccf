"""What the doctor says of a queue, at the stand-in with IAM enforced."""

import json
import os
from collections.abc import Iterator
from typing import Any

import pytest

from ingest.aws.clients import AssumedRole, queue_client
from service.doctor.finding import Finding
from service.doctor.queue import queue_findings
from tests.infra.rights import user_without_rights
from tests.queues import Queue
from tests.stand_in import DESTINATION, SOURCE, StandIn


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
    verdict, detail = found(Queue.make(aws, fifo=False, visibility=30))["reorder window"]

    assert verdict == "warning"
    assert "events are lost and others invented" in detail
    assert "set OVERFLY_REORDER_SECONDS=35, or read a FIFO queue" in detail


@pytest.mark.parametrize(("window", "verdict"), [(30, "warning"), (31, "ok")])
def test_a_window_must_be_above_the_visibility_timeout(aws: StandIn, window: float, verdict: str) -> None:
    order = found(Queue.make(aws, fifo=False, visibility=30), window)["reorder window"]

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


def fault(queue: Queue, client: Any) -> str:
    """Its detail, where nothing but the queue itself was found."""
    findings = list(queue_findings(client, queue.url, 0, reads=True))
    assert [(each.subject, each.verdict) for each in findings] == [("queue", "fault")]
    return findings[0].detail


def test_a_queue_that_does_not_exist_is_a_fault_that_says_where_it_was_asked_for(aws: StandIn) -> None:
    queue = Queue.make(aws)
    queue.client.delete_queue(QueueUrl=queue.url)
    account, name = queue.url.split("/")[-2:]
    said = fault(queue, queue.client)
    assert said.startswith(f"no queue {name} in region eu-central-1 of account {account} ")
    assert said.endswith("make it, or mend OVERFLY_QUEUE_URL or AWS_REGION")
    assert "wsdl" not in said


def test_an_endpoint_that_does_not_answer_is_a_fault_of_the_endpoint(aws: StandIn) -> None:
    deaf = aws.client("sqs", endpoint_url="http://127.0.0.1:9")
    assert "mend AWS_ENDPOINT_URL, the region" in fault(Queue.make(aws), deaf)


def test_no_credentials_or_false_ones_are_a_fault_of_the_credentials(
    aws: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue = Queue.make(aws)
    set_all(monkeypatch, aws.environment(DESTINATION))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIANOBODYSKEY000000")
    assert "mend AWS_PROFILE, or AWS_ACCESS_KEY_ID" in fault(queue, queue_client(queue.url))

    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, os.devnull)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    assert "set credentials: AWS_PROFILE, AWS_ACCESS_KEY_ID" in fault(queue, queue_client(queue.url))


@pytest.mark.parametrize("arn", ["arn:aws:iam::222222222222:role/another", "nonsense"])
def test_a_role_that_may_not_be_assumed_is_a_fault_of_the_role_and_not_of_the_queues_rights(
    aws: StandIn, monkeypatch: pytest.MonkeyPatch, arn: str
) -> None:
    queue = Queue.make(aws)
    set_all(monkeypatch, {**aws.environment(DESTINATION), **user_without_rights(aws, f"nobody-{arn[-7:]}")})
    said = fault(queue, queue_client(queue.url, role=AssumedRole(arn)))
    assert "mend OVERFLY_QUEUE_ROLE_ARN" in said
    assert "trust policy" in said


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


def set_all(monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
