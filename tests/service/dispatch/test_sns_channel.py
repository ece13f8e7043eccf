"""Events published to topics at the stand-in."""

import json
import socket
import uuid
from collections.abc import Callable, Iterator

import pytest

from service.dispatch.aws_batches import AT_ONCE
from service.dispatch.outbox import Dispatcher
from service.dispatch.sns_channel import SnsChannel
from service.errors import SettingsError
from tests.service.dispatch.airfield import Airfield, rounds
from tests.service.dispatch.cloud import CloudProxy, queue_behind_topic
from tests.service.dispatch.post_office import raw_server
from tests.stand_in import StandIn
from tests.stores import Store

URL = "http://127.0.0.1:8000"


@pytest.fixture
def airfield(sqlite_store: Store) -> Airfield:
    return Airfield(sqlite_store, ["sns"])


@pytest.fixture
def dispatcher_to(proxy: CloudProxy, airfield: Airfield) -> Iterator[Callable[[str], Dispatcher]]:
    """Makes dispatchers to a topic, and ends them."""
    channels: list[SnsChannel] = []

    def made(topic_arn: str) -> Dispatcher:
        channels.append(SnsChannel(topic_arn, URL))
        return airfield.dispatcher(channels[-1])

    yield made
    for each in channels:
        each.close()


def new_name() -> str:
    return f"topic-{uuid.uuid4().hex[:8]}"


def test_an_event_is_published_with_a_sentence_and_attributes_to_filter_by(
    airfield: Airfield, aws: StandIn, dispatcher_to: Callable[[str], Dispatcher]
) -> None:
    topic, queue = queue_behind_topic(aws, new_name())
    airfield.cross("4067f2", callsign="TOM2XE")
    rounds(dispatcher_to(topic))

    (received,) = queue.take()
    message = json.loads(received["Message"])
    text = message.pop("text")
    assert received["Subject"] == "TOM2XE entered Zürich Airport"
    assert text.startswith("TOM2XE (4067f2) entered Zürich Airport, ")
    assert text.endswith(" UTC")
    assert message["eventId"] == airfield.workshop.event_ids()[0]
    assert list(message) == [
        *("eventId", "eventType", "trackerName", "collectionName", "deviceId", "geofenceId"),
        *("sampleTime", "position"),
    ]
    assert {name: each["Value"] for name, each in received["MessageAttributes"].items()} == {
        "eventType": "ENTER",
        "geofenceId": "LSZH",
        "collection": "default",
        "deviceId": "4067f2",
    }
    (alert,) = airfield.alerts()
    assert (alert["channel"], alert["recipient"], alert["status"]) == ("sns", topic, "sent")


def test_all_events_come_out_of_a_fifo_topic_once_and_in_order(
    airfield: Airfield, aws: StandIn, dispatcher_to: Callable[[str], Dispatcher]
) -> None:
    topic, queue = queue_behind_topic(aws, f"{new_name()}.fifo")
    devices = [f"d{number}" for number in range(24)] + ["Zürich-東京"]
    for _ in range(3):
        airfield.cross_all(devices)
    rounds(dispatcher_to(topic))

    received = [json.loads(each["Message"]) for each in queue.take()]
    assert sorted(each["eventId"] for each in received) == sorted(airfield.workshop.event_ids())
    for device in devices:
        types = [each["eventType"] for each in received if each["deviceId"] == device]
        assert types == ["ENTER", "EXIT", "ENTER"]
    assert set(airfield.statuses()) == {"sent"}


def test_an_event_whose_acceptance_was_not_heard_comes_out_of_a_fifo_topic_once(
    airfield: Airfield, aws: StandIn, dispatcher_to: Callable[[str], Dispatcher], proxy: CloudProxy
) -> None:
    topic, queue = queue_behind_topic(aws, f"{new_name()}.fifo")
    proxy.loses = 1
    airfield.cross("a")
    dispatcher = dispatcher_to(topic)
    rounds(dispatcher)
    assert airfield.statuses() == ["pending"]

    airfield.clock.now += 5000
    rounds(dispatcher)
    assert airfield.statuses() == ["sent"]
    ids = [json.loads(each["Message"])["eventId"] for each in queue.take()]
    assert ids == airfield.workshop.event_ids()


@pytest.mark.parametrize(
    "fault", [(400, "Throttled"), (500, "InternalError"), (403, "AuthorizationError"), (404, "NotFound")]
)
def test_a_topic_that_refuses_for_now_gets_the_events_later(
    airfield: Airfield,
    aws: StandIn,
    dispatcher_to: Callable[[str], Dispatcher],
    proxy: CloudProxy,
    fault: tuple[int, str],
) -> None:
    topic, queue = queue_behind_topic(aws, new_name())
    proxy.faults = [fault]
    airfield.cross("a")
    dispatcher = dispatcher_to(topic)
    rounds(dispatcher)
    assert airfield.statuses() == ["pending"]
    assert fault[1] in airfield.alerts()[0]["outcome"]

    airfield.cross("a")
    airfield.clock.now += 5000
    rounds(dispatcher)
    ids = [json.loads(each["Message"])["eventId"] for each in queue.take()]
    assert ids == airfield.workshop.event_ids()


def test_an_event_refused_for_its_data_fails_and_the_next_goes_on(
    airfield: Airfield, aws: StandIn, dispatcher_to: Callable[[str], Dispatcher], proxy: CloudProxy
) -> None:
    topic, queue = queue_behind_topic(aws, new_name())
    proxy.refuses = lambda event: (
        ("InvalidParameter", "Invalid parameter: Message") if event["eventType"] == "ENTER" else None
    )
    airfield.cross("a")
    airfield.cross("a")
    rounds(dispatcher_to(topic))

    assert [json.loads(each["Message"])["eventType"] for each in queue.take()] == ["EXIT"]
    assert airfield.statuses() == ["failed", "sent"]
    assert airfield.alerts()[0]["outcome"] == f"{topic}: InvalidParameter: Invalid parameter: Message"


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"])
def test_where_nobody_answers_a_few_requests_are_enough_to_know(
    airfield: Airfield, proxy: CloudProxy, monkeypatch: pytest.MonkeyPatch, said: bytes
) -> None:
    asked: list[bytes] = []

    def converse(connection: socket.socket) -> None:
        asked.append(connection.recv(1 << 16))
        connection.sendall(said)

    airfield.cross_all([f"d{number}" for number in range(200)])
    with raw_server(converse) as port:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
        channel = SnsChannel("arn:aws:sns:eu-central-1:222222222222:fleet", URL)
        rounds(airfield.dispatcher(channel))
        channel.close()

    assert set(airfield.statuses()) == {"pending"}
    assert 1 <= len(asked) <= AT_ONCE


@pytest.mark.parametrize("arn", ["", "topic", "arn:aws:sqs:eu-central-1:222222222222:queue"])
def test_what_is_no_topic_is_refused_at_start(arn: str) -> None:
    with pytest.raises(SettingsError, match="is no SNS topic: expected arn:aws:sns:"):
        SnsChannel(arn, URL)
