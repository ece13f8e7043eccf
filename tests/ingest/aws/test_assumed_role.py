"""A role of the queue's account, assumed with its ExternalId, at the stand-in with IAM enforced."""

import json
from collections.abc import Iterator

import pytest
from botocore.exceptions import ClientError

from ingest.aws.clients import AssumedRole, queue_client
from ingest.aws.faults import sentence, temporary
from tests.queues import Queue
from tests.stand_in import DESTINATION, SOURCE, StandIn

EXTERNAL_ID = "overfly-4711"
SHORTEST = 900


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    with StandIn(tmp_path_factory.mktemp("aws"), enforce_iam=True) as stand_in:
        yield stand_in


@pytest.fixture(scope="module")
def queue(aws: StandIn) -> Queue:
    return Queue.make(aws, fifo=False)


@pytest.fixture(scope="module")
def role(aws: StandIn, queue: Queue) -> str:
    """Account A may assume it with the ExternalId; it may send to the queue and nothing else."""
    iam = aws.client("iam", DESTINATION)
    trust = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{SOURCE}:root"},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"sts:ExternalId": EXTERNAL_ID}},
    }
    right = {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": queue.arn}
    made = iam.create_role(RoleName="bridge", AssumeRolePolicyDocument=_policy(trust))
    iam.put_role_policy(RoleName="bridge", PolicyName="send", PolicyDocument=_policy(right))
    arn: str = made["Role"]["Arn"]
    return arn


@pytest.fixture(autouse=True)
def as_source_account(aws: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in aws.environment(SOURCE).items():
        monkeypatch.setenv(name, value)


def test_the_role_sends_where_the_account_itself_may_not(queue: Queue, role: str) -> None:
    with pytest.raises(ClientError, match="AccessDenied"):
        queue_client(queue.url).send_message(QueueUrl=queue.url, MessageBody="1")
    acting = queue_client(queue.url, role=AssumedRole(role, EXTERNAL_ID))

    acting.send_message(QueueUrl=queue.url, MessageBody="1")

    with pytest.raises(ClientError, match="AccessDenied"):
        acting.receive_message(QueueUrl=queue.url)


@pytest.mark.parametrize("external_id", [None, "another"])
def test_without_the_right_external_id_requests_fail_until_an_operator_mends_it(
    queue: Queue, role: str, external_id: str | None
) -> None:
    acting = queue_client(queue.url, role=AssumedRole(role, external_id))

    with pytest.raises(ClientError) as refused:
        acting.send_message(QueueUrl=queue.url, MessageBody="1")

    assert temporary(refused.value)
    assert sentence(refused.value).startswith("AssumeRole: AccessDenied: ")


@pytest.mark.parametrize(("seconds", "sets"), [(SHORTEST, 3), (3600, 1)])
def test_credentials_are_renewed_a_quarter_of_an_hour_before_they_expire(
    queue: Queue, role: str, seconds: int, sets: int
) -> None:
    acting = queue_client(queue.url, role=AssumedRole(role, EXTERNAL_ID, seconds=seconds))
    tokens: set[str] = set()
    acting.meta.events.register(
        "before-send.sqs", lambda request, **_: tokens.add(request.headers["X-Amz-Security-Token"])
    )

    for _ in range(3):
        acting.send_message(QueueUrl=queue.url, MessageBody="1")

    assert len(tokens) == sets


def _policy(statement: dict[str, object]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
