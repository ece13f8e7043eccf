"""Brokers that are not there, say no, or hang up: what is said without secrets, and what is tried again."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ingest.mqtt.publisher import BrokerAway, MqttPublisher, PublicationRefused
from ingest.mqtt.source import MqttSource
from tests.brokers import Certificates, Mosquitto, free_port
from tests.ingest.mqtt.traffic import TOPICS, endpoint_of, payloads, publish, received, subscribed, until

SECRET = "pa55word"


def problem_of(source: MqttSource) -> str:
    until(source, lambda: source.problem is not None)
    assert source.problem is not None
    assert not source.subscribed
    return source.problem


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates.make(tmp_path_factory.mktemp("certificates"))


def test_broker_that_is_not_there_is_named_and_found_when_it_comes(tmp_path: Path) -> None:
    mosquitto = Mosquitto(tmp_path)
    source = MqttSource(endpoint_of(mosquitto), TOPICS)
    assert (
        problem_of(source) == f"the broker at 127.0.0.1:{mosquitto.port} does not answer: connection refused"
    )
    with mosquitto:
        subscribed(source)
        assert source.problem is None
        source.close()


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_wrong_password_is_said_without_the_password(tmp_path: Path, protocol: str) -> None:
    with Mosquitto(tmp_path, users={"tracker": "right"}) as mosquitto:
        source = MqttSource(
            endpoint_of(mosquitto, protocol=protocol, username="tracker", password=SECRET), TOPICS
        )
        problem = problem_of(source)
        source.close()
        assert "refused the connection: not authorized; check the user" in problem
        assert SECRET not in problem
        good = subscribed(
            MqttSource(
                endpoint_of(mosquitto, protocol=protocol, username="tracker", password="right"), TOPICS
            )
        )
        good.close()


def test_refusals_are_not_hammered_at(tmp_path: Path) -> None:
    with Mosquitto(tmp_path, users={"tracker": "right"}) as mosquitto:
        source = MqttSource(endpoint_of(mosquitto, username="tracker", password=SECRET), TOPICS)
        before = time.thread_time()
        for _ in range(10):
            assert source.receive(0.15) == []
        used = time.thread_time() - before
        source.close()
        attempts = mosquitto.log.count("New connection from")
    assert 3 <= attempts <= 8  # 0.1 s doubled again and again, each cut by up to a half
    assert used < 0.5


CONNACK = b"\x20\x03\x00\x00\x00"
DISCONNECT_TAKEN_OVER = b"\xe0\x01\x8e"


def subscribe_answer(packet: bytes, reasons: bytes) -> bytes:
    """SUBACK of MQTT 5 for a SUBSCRIBE of less than 128 bytes."""
    return bytes([0x90, 3 + len(reasons)]) + packet[2:4] + b"\x00" + reasons


@contextmanager
def scripted_broker(*answers: Callable[[bytes], bytes]) -> Iterator[Mosquitto]:
    """Answers one client's first packets so, for what Mosquitto 2.0.11 does not say: then stays silent."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def converse() -> None:
            with server.accept()[0] as connection:
                for answer in answers:
                    connection.sendall(answer(connection.recv(4096)))
                while connection.recv(4096):
                    pass

        conversation = threading.Thread(target=converse)
        conversation.start()
        yield Mosquitto(Path(), port=server.getsockname()[1])
        conversation.join()


def test_refused_topic_is_named_and_asked_for_again() -> None:
    """Mosquitto's ACL files never refuse a SUBSCRIBE; AWS IoT and others do."""
    with scripted_broker(
        lambda _connect: CONNACK,
        lambda subscribe: subscribe_answer(subscribe, b"\x01\x87"),
        lambda subscribe: subscribe_answer(subscribe, b"\x01\x01"),
    ) as broker:
        source = MqttSource(endpoint_of(broker), TOPICS)
        problem = problem_of(source)
        assert "refuses subscription to overfly/positions/+ (not authorized" in problem
        assert "aircraft" not in problem
        assert source.connected
        subscribed(source)
        assert (source.problem, source.connection) == (None, 1)
        source.close()


def test_reason_of_a_disconnect_is_said() -> None:
    with scripted_broker(lambda _connect: CONNACK, lambda _subscribe: DISCONNECT_TAKEN_OVER) as broker:
        source = MqttSource(endpoint_of(broker), TOPICS)
        assert "session taken over; another client uses our client id" in problem_of(source)
        source.close()


def test_two_clients_with_one_id_do_not_race_and_learn_why(tmp_path: Path) -> None:
    with Mosquitto(tmp_path) as mosquitto:
        sources = [MqttSource(endpoint_of(mosquitto), TOPICS) for _ in range(2)]
        said = set()
        deadline = time.monotonic() + 2.0
        while time.monotonic() < deadline:
            for source in sources:
                source.receive(0.01)
                said.add(source.problem)
        for source in sources:
            source.close()
        assert mosquitto.log.count("New client connected") < 20
        assert any("another client with our client id" in problem for problem in said if problem)


def test_broker_that_goes_away_is_said(tmp_path: Path) -> None:
    with Mosquitto(tmp_path) as mosquitto:
        source = subscribed(MqttSource(endpoint_of(mosquitto), TOPICS))
        mosquitto.stop()
        assert "was lost" in problem_of(source)
        until(source, lambda: "does not answer: connection refused" in str(source.problem))
        source.close()


def test_what_does_not_speak_mqtt_is_given_up_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.mqtt.session.ANSWER_SECONDS", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent, socket.create_server(("127.0.0.1", 0)) as web:

        def answer() -> None:
            connection, _ = web.accept()
            connection.recv(1000)
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            connection.close()

        answering = threading.Thread(target=answer)
        answering.start()
        for server, said in ((silent, "does not answer as an MQTT broker"), (web, "was lost")):
            endpoint = endpoint_of(Mosquitto(Path(), port=server.getsockname()[1]))
            source = MqttSource(endpoint, TOPICS)
            assert said in problem_of(source)
            source.close()
        answering.join()


def test_tls_with_client_certificate_carries_messages(tmp_path: Path, certificates: Certificates) -> None:
    with Mosquitto(tmp_path, certificates=certificates, require_certificate=True) as mosquitto:
        ours = {"cert_file": certificates.client, "key_file": certificates.client_key}
        source = subscribed(MqttSource(endpoint_of(mosquitto, **ours), TOPICS))
        sent = [b"%d" % number * 2000 for number in range(500)]
        publish(endpoint_of(mosquitto, client_id="", **ours), [*sent, bytes(1 << 20)])
        messages = received(source, 501)
        source.close()
    assert payloads(messages) == [*sent, bytes(1 << 20)]


def test_tls_failures_are_said(tmp_path: Path, certificates: Certificates) -> None:
    other = Certificates.make(tmp_path / "other")
    with Mosquitto(tmp_path / "broker", certificates=certificates, require_certificate=True) as mosquitto:
        untrusted = MqttSource(endpoint_of(mosquitto, ca_file=other.ca), TOPICS)
        assert "TLS with the broker at" in problem_of(untrusted)
        assert "self-signed" in str(untrusted.problem) or "issuer" in str(untrusted.problem)
        untrusted.close()
        anonymous = MqttSource(endpoint_of(mosquitto), TOPICS)
        assert problem_of(anonymous)
        anonymous.close()


def test_publisher_says_at_once_that_there_is_no_broker() -> None:
    endpoint = endpoint_of(Mosquitto(Path(), port=free_port()), client_id="")
    with pytest.raises(BrokerAway, match="connection refused"), MqttPublisher(endpoint):
        pass


def test_publication_that_the_broker_forbids_is_an_error_that_names_the_topic(tmp_path: Path) -> None:
    with Mosquitto(tmp_path, acl="topic write aircraft/a/position\n") as mosquitto:
        device = endpoint_of(mosquitto, client_id="")
        publish(device, [b"allowed"], "aircraft/a/position")
        with pytest.raises(PublicationRefused, match="aircraft/b/position: not authorized"):
            publish(device, [b"forbidden"], "aircraft/b/position")
