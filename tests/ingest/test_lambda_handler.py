"""The Lambda function, called with the events of an SQS event source."""

import json
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from ingest import lambda_handler
from ingest.envelope import packed
from ingest.topics import shard_of
from tests.brokers import free_port
from tests.iot_data import IotData
from tests.queues import Queue
from tests.stand_in import DESTINATION, StandIn
from tests.waiting import wait_until

ARRAYS_OF_A = f"overfly/positions/{shard_of('a')}"
ARRAYS_OF_B = f"overfly/positions/{shard_of('b')}"
NONE_FAILED: dict[str, list[dict[str, str]]] = {"batchItemFailures": []}


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    with StandIn(tmp_path_factory.mktemp("stand-in")) as started:
        yield started


@pytest.fixture
def iot() -> Iterator[IotData]:
    with IotData() as started:
        yield started


@pytest.fixture(params=[True, False], ids=["fifo", "standard"])
def dead(request: pytest.FixtureRequest, aws: StandIn) -> Queue:
    return Queue.make(aws, fifo=request.param)


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, aws: StandIn, iot: IotData, dead: Queue) -> Iterator[None]:
    for name, value in {
        **aws.environment(DESTINATION),
        "OVERFLY_IOT_ENDPOINT": iot.url,
        "OVERFLY_DEAD_LETTER_QUEUE_URL": dead.url,
    }.items():
        monkeypatch.setenv(name, value)
    lambda_handler._means.cache_clear()
    yield
    lambda_handler._means.cache_clear()


class Context:
    """What Lambda gives: how much of the function's time is left."""

    def __init__(self, seconds: float = 10.0) -> None:
        self._end = time.monotonic() + seconds

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int((self._end - time.monotonic()) * 1000))


class Ending(Context):
    """The time is over when so many publications have arrived, and as many were refused as the test says."""

    def __init__(self, iot: IotData, got: int = 3, refused: int = 0) -> None:
        super().__init__()
        self._iot, self._got, self._refused = iot, got, refused

    def get_remaining_time_in_millis(self) -> int:
        over = len(self._iot.got) >= self._got and len(self._iot.refused) >= self._refused
        return lambda_handler.PUT_ASIDE_MILLISECONDS if over else 10_000


def event(bodies: Sequence[str], groups: Sequence[str], *, fifo: bool) -> dict[str, Any]:
    """As Lambda's documentation shows it; the ids are m0, m1, ..."""
    ending = ".fifo" if fifo else ""
    return {
        "Records": [
            {
                "messageId": f"m{number}",
                "receiptHandle": uuid.uuid4().hex,
                "body": body,
                "attributes": {
                    "ApproximateReceiveCount": "1",
                    "SentTimestamp": "1545082649183",
                    "SenderId": "AIDAIENQZJOLO23YVJ4VO",
                    "ApproximateFirstReceiveTimestamp": "1545082649185",
                    **({"MessageGroupId": group, "SequenceNumber": "1"} if fifo else {}),
                },
                "messageAttributes": {},
                "md5OfBody": "e4e68fb7bd0e697a0ae8f1bb342846b3",
                "eventSource": "aws:sqs",
                "eventSourceARN": f"arn:aws:sqs:eu-central-1:222222222222:positions{ending}",
                "awsRegion": "eu-central-1",
            }
            for number, (body, group) in enumerate(zip(bodies, groups, strict=True))
        ]
    }


def failed(answer: dict[str, list[dict[str, str]]]) -> list[str]:
    assert answer.keys() == {"batchItemFailures"}
    return [each["itemIdentifier"] for each in answer["batchItemFailures"]]


def line(device: str, number: int = 0, size: int = 0) -> str:
    payload = json.dumps({"deviceId": device, "n": number, "x": "y" * size}, separators=(",", ":"))
    return packed(f"aircraft/{device}/position", payload.encode()).decode()


def letters(queue: Queue) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = queue.client.receive_message(
        QueueUrl=queue.url,
        MaxNumberOfMessages=10,
        MessageAttributeNames=["All"],
        MessageSystemAttributeNames=["All"],
    ).get("Messages", [])
    return found


def is_fifo(queue: Queue) -> bool:
    return queue.url.endswith(".fifo")


def test_envelopes_and_raw_payloads_are_published_as_arrays_of_their_shards(
    iot: IotData, dead: Queue
) -> None:
    bodies = [line("a", 1), '{"deviceId":"a","n":2}', line("b", 1)]

    answer = lambda_handler.handler(event(bodies, ["a", "a", "b"], fifo=is_fifo(dead)), Context())

    assert answer == NONE_FAILED
    published = {topic: [item["n"] for item in json.loads(payload)] for topic, payload in iot.got}
    assert published == {ARRAYS_OF_A: [1, 2], ARRAYS_OF_B: [1]}


def test_singly_each_position_goes_to_its_devices_own_topic(
    iot: IotData, dead: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OVERFLY_REPUBLISH_SINGLY", "true")

    answer = lambda_handler.handler(
        event([line("a", 1), line("a", 2)], ["a", "a"], fifo=is_fifo(dead)), Context()
    )

    assert answer == NONE_FAILED
    assert [(topic, json.loads(payload)["n"]) for topic, payload in iot.got] == [
        ("aircraft/a/position", 1),
        ("aircraft/a/position", 2),
    ]


def test_what_the_destination_does_not_take_now_comes_again_with_all_after_it_of_its_group(
    iot: IotData, dead: Queue
) -> None:
    iot.statuses[ARRAYS_OF_A] = 500
    bodies = [line("b", 1), line("a", 1), line("b", 2), line("c", 1)]
    groups = ["g", "g", "g", "other"]

    answer = lambda_handler.handler(event(bodies, groups, fifo=is_fifo(dead)), Ending(iot, 2, 2))

    assert failed(answer) == (["m1", "m2"] if is_fifo(dead) else ["m1"])
    assert dead.empty


@pytest.mark.parametrize("status", [403, 429, 500])
def test_a_failure_that_passes_is_waited_out_within_the_functions_time(
    iot: IotData, dead: Queue, status: int
) -> None:
    iot.statuses[ARRAYS_OF_A] = status

    class Mending(Context):
        def get_remaining_time_in_millis(self) -> int:
            if len(iot.refused) >= 2:
                iot.statuses.clear()
            return super().get_remaining_time_in_millis()

    answer = lambda_handler.handler(event([line("a")], ["a"], fifo=is_fifo(dead)), Mending())

    assert answer == NONE_FAILED
    assert json.loads(iot.got[-1][1])[0]["deviceId"] == "a"
    assert dead.empty


def test_short_of_time_it_takes_no_more_and_gives_back_what_was_not_done(iot: IotData, dead: Queue) -> None:
    bodies = [line("a", number, 100_000) for number in range(10)]

    answer = lambda_handler.handler(event(bodies, ["a"] * 10, fifo=is_fifo(dead)), Ending(iot))

    given_back = failed(answer)
    assert given_back == [f"m{number}" for number in range(10 - len(given_back), 10)]
    assert 5 <= len(given_back) <= 8


def test_what_was_given_back_is_not_published_by_the_next_call_too(iot: IotData, dead: Queue) -> None:
    first = event([line("a", number, 100_000) for number in range(10)], ["a"] * 10, fifo=is_fifo(dead))
    lambda_handler.handler(first, Ending(iot))

    answer = lambda_handler.handler(event([line("a", 100)], ["a"], fifo=is_fifo(dead)), Context())

    assert answer == NONE_FAILED
    numbers = [item["n"] for _, payload in iot.got for item in json.loads(payload)]
    assert numbers == [*range(len(numbers) - 1), 100]
    assert len(numbers) < 8


def test_poison_is_put_aside_with_its_reason_and_done(iot: IotData, dead: Queue) -> None:
    bodies = [line("a", 1), "no JSON", line("a", 2), line("a", 3, 200_000), line("a", 4)]

    answer = lambda_handler.handler(event(bodies, ["a"] * 5, fifo=is_fifo(dead)), Context())

    assert answer == NONE_FAILED
    assert [item["n"] for _, payload in iot.got for item in json.loads(payload)] == [1, 2, 4]
    found = {letter["MessageAttributes"]["Reason"]["StringValue"]: letter for letter in letters(dead)}
    assert found.keys() == {"malformed", "too_large"}
    assert found["malformed"]["Body"] == "no JSON"
    assert found["malformed"]["MessageAttributes"]["SourceMessageId"]["StringValue"] == "m1"
    if is_fifo(dead):
        assert {letter["Attributes"]["MessageGroupId"] for letter in found.values()} == {"a"}


@pytest.mark.parametrize(("status", "reason"), [(400, "refused"), (403, "refused"), (413, "too_large")])
def test_a_payload_refused_for_good_is_put_aside_and_its_neighbours_go_on(
    iot: IotData, dead: Queue, status: int, reason: str
) -> None:
    iot.statuses["aircraft/a/position"] = status
    body = "\n".join([line("a", 1), packed("aircraft/a/position", b"no JSON").decode(), line("a", 2)])

    answer = lambda_handler.handler(event([body], ["a"], fifo=is_fifo(dead)), Context())

    assert answer == NONE_FAILED
    assert [item["n"] for _, payload in iot.got for item in json.loads(payload)] == [1, 2]
    [letter] = letters(dead)
    assert letter["MessageAttributes"]["Reason"]["StringValue"] == reason


def test_an_array_refused_for_good_is_parted_down_to_single_positions(iot: IotData, dead: Queue) -> None:
    iot.statuses[ARRAYS_OF_A] = 400
    body = "\n".join(line("a", number) for number in range(3))

    answer = lambda_handler.handler(event([body], ["a"], fifo=is_fifo(dead)), Context())

    assert answer == NONE_FAILED
    bodies = [json.loads(letter["Body"]) for letter in letters(dead)]
    assert sorted(each["payload"][0]["n"] for each in bodies) == [0, 1, 2]


@pytest.mark.parametrize("url", ["none", "away"])
def test_poison_that_cannot_be_put_aside_is_a_failure_with_all_after_it_of_its_group(
    monkeypatch: pytest.MonkeyPatch, dead: Queue, url: str
) -> None:
    if url == "none":
        monkeypatch.delenv("OVERFLY_DEAD_LETTER_QUEUE_URL")
    else:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{free_port()}")
    bodies = [line("a", 1), "no JSON", line("a", 2), line("b", 1)]

    answer = lambda_handler.handler(event(bodies, ["a", "a", "a", "b"], fifo=is_fifo(dead)), Context())

    assert failed(answer) == (["m1", "m2"] if is_fifo(dead) else ["m1"])


def test_with_nobody_there_the_whole_batch_comes_again(monkeypatch: pytest.MonkeyPatch, dead: Queue) -> None:
    monkeypatch.setenv("OVERFLY_IOT_ENDPOINT", f"http://127.0.0.1:{free_port()}")

    answer = lambda_handler.handler(
        event([line("a"), line("b")], ["a", "b"], fifo=is_fifo(dead)), Context(4.0)
    )

    assert failed(answer) == ["m0", "m1"]
    assert dead.empty


def test_what_nobody_foresaw_fails_the_call_and_the_next_one_begins_anew(
    monkeypatch: pytest.MonkeyPatch, iot: IotData, dead: Queue
) -> None:
    monkeypatch.delenv("OVERFLY_IOT_ENDPOINT")
    monkeypatch.setenv("AWS_ENDPOINT_URL_IOT", iot.url)
    batch = event([line("a", 1)], ["a"], fifo=is_fifo(dead))
    with pytest.raises(KeyError, match="endpointAddress"):
        lambda_handler.handler(batch, Context())
    monkeypatch.setenv("OVERFLY_IOT_ENDPOINT", iot.url)

    answer = lambda_handler.handler(batch, Context())

    assert answer == NONE_FAILED
    assert [topic for topic, _ in iot.got] == [ARRAYS_OF_A]


def test_it_publishes_through_aws_iot_and_its_rules(
    monkeypatch: pytest.MonkeyPatch, aws: StandIn, dead: Queue
) -> None:
    monkeypatch.setenv("OVERFLY_IOT_ENDPOINT", aws.endpoint)
    heard = Queue.make(aws, fifo=False)
    name = f"heard_{uuid.uuid4().hex}"
    action = {"sqs": {"queueUrl": heard.url, "roleArn": "arn:aws:iam::222222222222:role/rule"}}
    aws.client("iot").create_topic_rule(
        ruleName=name,
        topicRulePayload={"sql": "SELECT * FROM 'overfly/positions/+'", "actions": [action]},
    )

    answer = lambda_handler.handler(event([line("a", 7)], ["a"], fifo=is_fifo(dead)), Context())

    assert answer == NONE_FAILED
    wait_until(lambda: heard.visible == 1, 60)
    aws.client("iot").delete_topic_rule(ruleName=name)


def test_the_function_needs_neither_numpy_nor_paho(repository: Path) -> None:
    code = "import sys, ingest.lambda_handler; print({'numpy', 'paho', 'geofence'} & set(sys.modules))"

    done = subprocess.run(
        [sys.executable, "-c", code], cwd=repository, capture_output=True, text=True, check=True, timeout=60
    )

    assert done.stdout.strip() == "set()"
