"""Ending sessions, one or many at once, so that the broker has what we sent last.

A socket that is closed with bytes unread is reset, and our last packets are lost with it, acknowledgements
too. So each session sends a DISCONNECT and reads until the broker hangs up, as it then does (MQTT 5, 4.13).
"""

import selectors
import time
from collections.abc import Collection
from typing import Any

from ingest.mqtt.session import MqttSession


def end(sessions: Collection[MqttSession], patience: float = 1.0) -> None:
    """Sends what is unsent and a DISCONNECT, within `patience` seconds for all; persistent sessions stay."""
    deadline = time.monotonic() + patience
    for session in sessions:
        session.say_farewell()
    while (left := deadline - time.monotonic()) > 0:
        ending = [session for session in sessions if session.ending]
        if not ending:
            break
        with selectors.DefaultSelector() as selector:
            for session in ending:
                sock: Any = session.client.socket()
                selector.register(sock, session.ending, session)
            for key, ready in selector.select(left):
                key.data.hear_out(ready)
    for session in sessions:
        session.drop()
