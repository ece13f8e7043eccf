"""The demo's broker does what the tracker needs of one: QoS 1, kept sessions, order."""

import os
import signal
import subprocess
import sys
import threading
import time

import pytest
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from service.demo.broker import embedded_broker
from service.demo.ports import free_port, why_not

TOPIC = "aircraft/4ca7b3/position"


def publish(port: int, payloads: range) -> None:
    publisher = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv311)
    publisher.connect("127.0.0.1", port)
    publisher.loop_start()
    for sent in [publisher.publish(TOPIC, str(number), qos=1) for number in payloads]:
        sent.wait_for_publish(10)
    publisher.disconnect()
    publisher.loop_stop()


def subscribe(port: int, until: int, *, acknowledge: bool) -> list[int]:
    """What a kept session receives until it has `until` messages."""
    received: list[int] = []
    enough = threading.Event()
    client = Client(
        CallbackAPIVersion.VERSION2,
        client_id="tracker",
        clean_session=False,
        protocol=MQTTProtocolVersion.MQTTv311,
        manual_ack=True,
    )

    def take(_: Client, __: object, message: MQTTMessage) -> None:
        received.append(int(message.payload))
        if acknowledge:
            client.ack(message.mid, message.qos)
        if len(received) >= until:
            enough.set()

    subscribed = threading.Event()
    client.on_message = take
    client.on_subscribe = lambda *_: subscribed.set()
    client.connect("127.0.0.1", port)
    client.subscribe("aircraft/+/position", qos=1)
    client.loop_start()
    assert subscribed.wait(10)
    assert until == 0 or enough.wait(10)
    client.disconnect()
    client.loop_stop()
    return received


def test_session_keeps_what_was_not_acknowledged_and_what_came_meanwhile_in_order() -> None:
    port = free_port()
    with embedded_broker(port):
        subscribe(port, 0, acknowledge=True)
        publish(port, range(50))
        assert subscribe(port, 50, acknowledge=False) == list(range(50))
        publish(port, range(50, 80))
        assert subscribe(port, 80, acknowledge=True) == list(range(80))


def test_port_is_free_again_at_the_end() -> None:
    port = free_port()
    with embedded_broker(port):
        assert why_not(port) == "is in use by another program"
    assert why_not(port) is None


def test_taken_port_is_an_error() -> None:
    port = free_port()
    with embedded_broker(port), pytest.raises(OSError), embedded_broker(port):
        pass


def test_broker_ends_with_the_process_that_started_it_even_if_that_is_killed() -> None:
    port = free_port()
    program = (
        "import time\n"
        "from service.demo.broker import embedded_broker\n"
        f"with embedded_broker({port}): print('up', flush=True); time.sleep(60)"
    )
    starter = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)
    assert starter.stdout is not None
    assert starter.stdout.readline() == b"up\n"
    os.kill(starter.pid, signal.SIGKILL)
    starter.wait()
    starter.stdout.close()
    deadline = time.monotonic() + 10
    while why_not(port) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert why_not(port) is None
