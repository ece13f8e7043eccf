"""`overfly republish` as its users run it: from a queue at the stand-in to a real broker."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest.envelope import packed
from ingest.topics import shard_of
from tests.brokers import Mosquitto
from tests.hops import Hop
from tests.queue_proxy import Fault, QueueProxy
from tests.queues import Queue
from tests.republished import PATIENCE, Listener, Queues, in_order_without_repeats, lines, send
from tests.stand_in import DESTINATION, StandIn
from tests.waiting import wait_until


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    with StandIn(tmp_path_factory.mktemp("stand-in")) as started:
        yield started


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path / "broker") as started:
        yield started


@pytest.fixture(params=[True, False], ids=["fifo", "standard"])
def queues(request: pytest.FixtureRequest, aws: StandIn) -> Queues:
    return Queues.make(aws, fifo=request.param)


@pytest.fixture
def listener(broker: Mosquitto) -> Iterator[Listener]:
    listening = Listener(broker)
    yield listening
    listening.close()


def republisher(folder: Path, aws: StandIn, queues: Queues, broker: Mosquitto, **settings: str) -> Hop:
    named = {"QUEUE_URL": queues.work.url, "MQTT_URL": broker.url, **settings}
    return Hop("republish", folder / "republish", named, aws.environment(DESTINATION))


def test_positions_come_out_as_arrays_of_their_shard_in_order_and_the_queue_is_empty(
    tmp_path: Path, aws: StandIn, queues: Queues, broker: Mosquitto, listener: Listener
) -> None:
    expected = {device: send(queues.work, device, 12, 100) for device in ("a", "b", "c")}

    with republisher(tmp_path, aws, queues, broker) as hop:
        listener.until(lambda: sum(map(len, listener.numbers().values())) >= 3600)
        wait_until(lambda: hop.metric("overfly_republish_deleted_total") == 36, PATIENCE)
        assert hop.metric("overfly_republish_positions_total") == 3600
        assert hop.stop() == 0

    found = listener.numbers()
    if queues.work.url.endswith(".fifo"):
        assert found == expected
    else:
        assert {device: sorted(numbers) for device, numbers in found.items()} == expected
    assert queues.work.empty
    assert queues.dead.empty


def test_killed_in_the_middle_it_loses_nothing_and_keeps_the_order(
    tmp_path: Path, aws: StandIn, broker: Mosquitto, listener: Listener
) -> None:
    queues = Queues.make(aws, fifo=True, visibility=4)
    expected = {device: send(queues.work, device, 15, 40, 2000) for device in ("a", "b")}

    with republisher(tmp_path, aws, queues, broker) as hop:
        for share in (1, 2):
            listener.until(lambda share=share: sum(map(len, listener.numbers().values())) >= 200 * share)
            hop.kill()
            hop.start()
        listener.until(
            lambda: {name: in_order_without_repeats(n) for name, n in listener.numbers().items()} == expected
        )
        wait_until(lambda: queues.work.empty, PATIENCE)

    assert queues.dead.empty


def test_while_the_broker_is_away_the_queue_keeps_all_and_nothing_is_dead(
    tmp_path: Path, aws: StandIn, broker: Mosquitto, listener: Listener
) -> None:
    queues = Queues.make(aws, fifo=False, visibility=2)
    with republisher(tmp_path, aws, queues, broker) as hop:
        send(queues.work, "a", 1, 1)
        listener.until(lambda: listener.numbers() == {"a": [0]})
        broker.stop()
        wait_until(lambda: hop.metric("overfly_republish_connected") == 0, PATIENCE)
        send(queues.work, "b", 60, 1)
        wait_until(lambda: hop.metric("overfly_republish_oldest_seconds") > 5, PATIENCE)
        received = hop.metric("overfly_republish_received_total")
        assert received <= 1 + 40
        assert hop.metric("overfly_republish_received_again_total") == 0
        broker.start()
        listener.until(lambda: sorted(listener.numbers().get("b", [])) == list(range(60)))
        wait_until(lambda: queues.work.empty, PATIENCE)

    assert queues.dead.empty


def test_while_nobody_subscribes_nothing_is_deleted_nor_dead_and_it_goes_on_by_itself(
    tmp_path: Path, aws: StandIn, broker: Mosquitto
) -> None:
    queues = Queues.make(aws, fifo=True)
    expected = {device: send(queues.work, device, 30, 1) for device in ("a", "b")}
    with republisher(tmp_path, aws, queues, broker) as hop:
        wait_until(lambda: hop.metric("overfly_republish_oldest_seconds") > 3, PATIENCE)
        assert hop.metric("overfly_republish_received_total") <= 40
        assert hop.metric("overfly_republish_sent_total") == 0
        assert hop.metric("overfly_republish_deleted_total") == 0
        assert "nobody subscribes to overfly/positions/" in hop.log
        listening = Listener(broker)
        listening.until(lambda: {name: sorted(n) for name, n in listening.numbers().items()} == expected)
        wait_until(lambda: queues.work.empty, PATIENCE)
        listening.close()

    assert queues.dead.empty


def test_each_poison_is_in_the_dead_letter_queue_with_its_reason_and_the_good_beside_it_goes_on(
    tmp_path: Path, aws: StandIn, queues: Queues, listener: Listener, broker: Mosquitto
) -> None:
    good = lines("a", [1])
    bad_topic = packed("aircraft/+/position", b'{"x":1}').decode()
    cut = packed("aircraft/a/position", b"x" * (2 << 20)).decode()
    queues.work.send(
        ["no JSON", good, f"{lines('a', [2])}\n{bad_topic}\n{lines('a', [3])}", cut, lines("a", [4])]
    )

    with republisher(tmp_path, aws, queues, broker) as hop:
        listener.until(lambda: listener.numbers() == {"a": [1, 2, 3, 4]})
        wait_until(lambda: queues.work.empty, PATIENCE)
        wait_until(lambda: hop.log.count('"republish.put_aside"') == 3, PATIENCE, lambda: hop.log)

    letters = {letter["MessageAttributes"]["Reason"]["StringValue"]: letter for letter in queues.letters()}
    assert {reason: letter["Body"] for reason, letter in letters.items()} == {
        "malformed": "no JSON",
        "bad_topic": bad_topic,
        "too_large": json.dumps(json.loads(cut) | {}, separators=(",", ":")).partition(',"cutFrom"')[0] + "}",
    }
    for letter in letters.values():
        assert letter["MessageAttributes"]["Detail"]["StringValue"]
        assert len(letter["MessageAttributes"]["SourceMessageId"]["StringValue"]) == 36
        assert letter["MessageAttributes"]["SourceMessageId"]["StringValue"] in hop.log
        assert letter["Attributes"].get("MessageGroupId") == (
            "1" if queues.work.url.endswith(".fifo") else None
        )


def test_bad_messages_whose_topic_nobody_reads_do_not_hold_up_the_good(
    tmp_path: Path, aws: StandIn, broker: Mosquitto
) -> None:
    queues = Queues.make(aws, fifo=True)
    listening = Listener(broker, ["overfly/positions/+"])
    bad = packed("aircraft/a/position", b"no JSON").decode()
    queues.work.send([f"{lines('a', [1])}\n{bad}\n{lines('a', [2])}"])

    with republisher(tmp_path, aws, queues, broker):
        listening.until(lambda: listening.numbers() == {"a": [1, 2]})
        wait_until(lambda: queues.work.empty, PATIENCE)
    listening.close()

    [letter] = queues.letters()
    assert letter["MessageAttributes"]["Reason"]["StringValue"] == "unheard"
    assert json.loads(letter["Body"])["topic"] == "aircraft/a/position"


def test_a_payload_as_it_came_is_at_its_own_topic_between_its_neighbours(
    tmp_path: Path, aws: StandIn, broker: Mosquitto, listener: Listener
) -> None:
    queues = Queues.make(aws, fifo=True)
    bad = packed("aircraft/a/position", b"no JSON").decode()
    queues.work.send([f"{lines('a', [1])}\n{bad}\n{lines('a', [2])}"])

    with republisher(tmp_path, aws, queues, broker):
        listener.until(lambda: len(listener.got) == 3)

    shard = f"overfly/positions/{shard_of('a')}"
    assert [topic for topic, _ in listener.got] == [shard, "aircraft/a/position", shard]
    assert listener.got[1][1] == b"no JSON"


def test_arrays_fit_a_broker_that_takes_only_small_packets(tmp_path: Path, aws: StandIn) -> None:
    queues = Queues.make(aws, fifo=True)
    with Mosquitto(tmp_path / "broker", options={"max_packet_size": 20_000}) as broker:
        listening = Listener(broker)
        expected = send(queues.work, "a", 1, 60, 1000)
        too_large = lines("a", [60], 30_000)
        queues.work.send([too_large], str(shard_of("a")))
        with republisher(tmp_path, aws, queues, broker):
            listening.until(lambda: listening.numbers() == {"a": expected})
            wait_until(lambda: queues.work.empty, PATIENCE)
        listening.close()

    [letter] = queues.letters()
    assert letter["MessageAttributes"]["Reason"]["StringValue"] == "too_large"


def test_what_is_under_way_is_given_back_at_sigterm_when_it_cannot_get_through(
    tmp_path: Path, aws: StandIn, broker: Mosquitto
) -> None:
    queues = Queues.make(aws, fifo=True, visibility=120)
    send(queues.work, "a", 5, 1)
    with republisher(tmp_path, aws, queues, broker) as hop:
        wait_until(lambda: hop.metric("overfly_republish_waiting") == 5, PATIENCE)
        assert hop.stop() == 0

    assert queues.work.visible == 5
    assert queues.dead.empty


def test_without_a_place_for_poison_it_says_so_and_ends(
    tmp_path: Path, aws: StandIn, broker: Mosquitto
) -> None:
    queue = Queue.make(aws, fifo=False)
    environment = {"OVERFLY_QUEUE_URL": queue.url, "OVERFLY_MQTT_URL": broker.url}

    ended = subprocess.run(
        [Path(sys.executable).with_name("overfly"), "republish"],
        env={**os.environ, **aws.environment(DESTINATION), **environment},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert ended.returncode == 2
    assert "give it one, or set OVERFLY_DEAD_LETTER_QUEUE_URL" in ended.stderr


EVERY_REQUEST = frozenset(
    {
        "ChangeMessageVisibilityBatch",
        "DeleteMessageBatch",
        "GetQueueAttributes",
        "ReceiveMessage",
        "SendMessage",
    }
)


@pytest.mark.parametrize("fault", ["throttled", "denied", "lost"])
def test_a_queue_that_refuses_is_waited_out_and_said_and_nothing_is_lost(
    tmp_path: Path, aws: StandIn, broker: Mosquitto, listener: Listener, fault: Fault
) -> None:
    queues = Queues.make(aws, fifo=True, visibility=3)
    with QueueProxy(aws.endpoint) as proxy:
        hop = republisher(tmp_path, aws, queues, broker)
        hop.environment = {**hop.environment, "AWS_ENDPOINT_URL_SQS": proxy.url}
        expected = {"a": send(queues.work, "a", 20, 5)}
        with hop:
            listener.until(lambda: len(listener.numbers().get("a", [])) >= 50)
            with proxy.refusing(fault, operations=EVERY_REQUEST):
                expected["b"] = send(queues.work, "b", 10, 5)
                wait_until(lambda: "republish.waiting" in hop.log, PATIENCE)
            listener.until(
                lambda: (
                    {name: in_order_without_repeats(n) for name, n in listener.numbers().items()} == expected
                )
            )
            wait_until(lambda: queues.work.empty, PATIENCE)

    assert queues.dead.empty


def test_a_dead_letter_queue_that_may_not_be_used_is_named_while_it_is_waited_for(
    tmp_path: Path, aws: StandIn, broker: Mosquitto
) -> None:
    queues = Queues.make(aws, fifo=True)
    with QueueProxy(aws.endpoint) as proxy, proxy.refusing("denied", operations=frozenset({"GetQueueUrl"})):
        hop = republisher(tmp_path, aws, queues, broker)
        hop.environment = {**hop.environment, "AWS_ENDPOINT_URL_SQS": proxy.url}
        with hop:
            wait_until(lambda: "republish.waiting" in hop.log, PATIENCE)
            assert hop.stop() == 0

    assert f"the dead-letter queue {queues.dead.arn}, which the queue's redrive policy names" in hop.log
    assert "GetQueueUrl: AccessDenied" in hop.log
    assert "OVERFLY_DEAD_LETTER_QUEUE_URL" in hop.log


def test_a_dead_letter_queue_that_refuses_holds_up_poison_and_its_group_only(
    tmp_path: Path, aws: StandIn, queues: Queues, broker: Mosquitto, listener: Listener
) -> None:
    fifo = queues.work.url.endswith(".fifo")
    with QueueProxy(aws.endpoint) as proxy, proxy.refusing("denied", operations=frozenset({"SendMessage"})):
        hop = republisher(tmp_path, aws, queues, broker)
        hop.environment = {**hop.environment, "AWS_ENDPOINT_URL_SQS": proxy.url}
        with hop:
            for poison in range(4):
                queues.work.send(["no JSON"], f"poison-{poison}")
                wait_until(
                    lambda poison=poison: hop.metric("overfly_republish_received_total") > poison, PATIENCE
                )
            send(queues.work, "a", 20, 1)
            listener.until(lambda: sorted(set(listener.numbers().get("a", []))) == list(range(20)))
            wait_until(lambda: hop.metric("overfly_republish_deleted_total") == 20, PATIENCE)
            wait_until(lambda: hop.metric("overfly_republish_waiting") == 0, PATIENCE)
            assert "does not take a message" in hop.log
            assert queues.work.hidden == 4
            assert queues.work.visible == 0
            assert hop.stop() == 0

    assert queues.dead.empty
    assert fifo or sorted(listener.numbers()["a"]) == list(range(20))
