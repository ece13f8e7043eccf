"""What is wrong with a broker, and what would be right; the probe uses a topic and sessions of its own."""

import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from ingest.mqtt.connection import EndpointError, MqttEndpoint
from service.doctor.finding import Finding

ANSWER_SECONDS = 5.0
PROBE_MESSAGES = 1_200
"""More than the 1,000 that Mosquitto keeps for an absent subscriber unless it is told to keep all."""
PROBE_SECONDS = 60


def broker_findings(
    endpoint: MqttEndpoint,
    topics: tuple[str, ...],
    broker: str = "broker",
    variables: str = "OVERFLY_MQTT",
) -> Iterator[Finding]:
    """Connects beside the running service, with a client id and a session of its own.

    `broker` is what it is called here, `variables` what the names of its settings begin with.
    """
    probe = replace(
        endpoint, client_id=f"overfly-doctor-{uuid.uuid4().hex[:12]}", session_expiry=PROBE_SECONDS
    )
    try:
        with _connected(probe, persistent=False) as (client, answers):
            yield Finding(broker, "ok", f"{endpoint.url} answers, MQTT {endpoint.protocol}")
            yield from _subscriptions(client, answers, topics, f"{broker}'s subscription")
    except (OSError, EndpointError, _Unanswered) as error:
        detail = f"{endpoint.url}: {error}; start the broker, or mend {variables}_*"
        yield Finding(broker, "fault", detail)
        return
    if endpoint.protocol == "3.1.1":
        yield Finding(
            f"{broker}'s MQTT version",
            "warning",
            "3.1.1 lets the broker decide how many messages are in flight (Mosquitto: 20), which is slow; "
            f"{variables}_PROTOCOL=5 asks for more",
        )
    try:
        yield _absence(probe, f"{broker}'s queue")
    except (OSError, EndpointError, _Unanswered) as error:
        yield Finding(f"{broker}'s queue", "warning", f"could not be tried out: {error}")


def _subscriptions(
    client: mqtt.Client, answers: "_Answers", topics: tuple[str, ...], subject: str
) -> Iterator[Finding]:
    for topic in topics:
        answers.clear()
        client.subscribe(topic, 1)
        codes = answers.wait("the broker did not answer SUBSCRIBE")
        if any(code.is_failure for code in codes):
            detail = f"{topic}: refused ({codes[0]}); the broker's ACL must let this user read it"
            yield Finding(subject, "fault", detail)
        else:
            yield Finding(subject, "ok", topic)


def _absence(probe: MqttEndpoint, subject: str) -> Finding:
    """Tries out how many messages the broker keeps while a subscriber is away."""
    topic = f"overfly/doctor/{probe.client_id}"
    with _connected(probe, persistent=True) as (client, answers):
        client.subscribe(topic, 1)
        if any(code.is_failure for code in answers.wait("the broker did not answer SUBSCRIBE")):
            return Finding(subject, "ok", f"not tried out: the broker does not let us use {topic}")
    publisher = replace(probe, client_id=f"{probe.client_id}-p")
    with _connected(publisher, persistent=False) as (client, _):
        sent = [client.publish(topic, str(number), 1) for number in range(PROBE_MESSAGES)]
        for each in sent:
            each.wait_for_publish(ANSWER_SECONDS)
    kept = 0

    def count(*_: Any) -> None:
        nonlocal kept
        kept += 1

    with _connected(probe, persistent=True, on_message=count) as (client, answers):
        deadline, seen = time.monotonic() + ANSWER_SECONDS, -1
        while kept < PROBE_MESSAGES and time.monotonic() < deadline and kept != seen:
            seen = kept
            time.sleep(0.5)
        client.unsubscribe(topic)
        _end_session(client)
    if kept < PROBE_MESSAGES:
        return Finding(
            subject,
            "warning",
            f"kept {kept} of {PROBE_MESSAGES} messages for an absent subscriber: what comes while Overfly is "
            "away is lost beyond that; Mosquitto keeps all with `max_queued_messages 0`",
        )
    return Finding(subject, "ok", f"kept {PROBE_MESSAGES} of {PROBE_MESSAGES} for an absent subscriber")


def _end_session(client: mqtt.Client) -> None:
    if client.protocol == mqtt.MQTTv5:
        properties = Properties(PacketTypes.DISCONNECT)  # type: ignore[no-untyped-call]  # paho's
        properties.SessionExpiryInterval = 0
        client.disconnect(properties=properties)


class _Unanswered(Exception):
    """The broker did not answer in time, or refused."""


class _Answers:
    """What the broker said to the last question."""

    def __init__(self) -> None:
        self._codes: list[Any] = []
        self._come = threading.Event()

    def clear(self) -> None:
        self._come.clear()

    def take(self, codes: list[Any]) -> None:
        self._codes = codes
        self._come.set()

    def wait(self, otherwise: str) -> list[Any]:
        if not self._come.wait(ANSWER_SECONDS):
            raise _Unanswered(f"{otherwise} within {ANSWER_SECONDS:g} s")
        return self._codes


@contextmanager
def _connected(
    endpoint: MqttEndpoint, *, persistent: bool, on_message: Any = None
) -> Iterator[tuple[mqtt.Client, _Answers]]:
    client = endpoint.client(persistent=persistent)
    answers = _Answers()
    client.on_connect = lambda _c, _u, _f, code, _p: answers.take([code])
    client.on_subscribe = lambda _c, _u, _m, codes, _p: answers.take(codes)
    client.on_message = on_message
    client.reconnect()
    client.loop_start()
    try:
        (code,) = answers.wait("the broker did not answer CONNECT")
        if code.is_failure:
            raise _Unanswered(f"refused: {code}")
        answers.clear()
        yield client, answers
    finally:
        client.disconnect()
        client.loop_stop()
