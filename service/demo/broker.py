"""A broker of the demo's own, for nobody but this computer."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager

from iotcore import Broker

HOST = "127.0.0.1"
PAYLOAD_BYTES = 2 << 20
"""Above our own limit of 1 MiB, so that a payload beyond it meets our refusal and not the broker's."""


@contextmanager
def embedded_broker(port: int) -> Iterator[str]:
    """The URL of a broker that speaks MQTT 3.1.1 at the loopback interface, until the `with` ends.

    It keeps sessions while it runs and promises no durability; it ends with this process, however that ends.
    Raises OSError where the port is taken.
    """
    broker = Broker(port=port, listen=HOST, max_payload_size=PAYLOAD_BYTES)
    # A Ctrl-C reaches every process of the terminal; who started the broker ends it, after those who use it.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        broker.start()
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    try:
        yield f"mqtt://{HOST}:{port}"
    finally:
        broker.stop()
