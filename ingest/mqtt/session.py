"""A session at a broker that keeps itself up, driven by the thread that calls `turn` (or its parts).

There is no thread behind it: with a database in the same process, two busy threads would fight over the
interpreter. paho frames the packets; its `loop_misc` is not used. It gives up when a PINGRESP does not come,
and ours waits behind messages that we leave unread while the database is away: we ping by ourselves, and give
up only on a broker that stays silent while we listen.
"""

import ssl
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

from paho.mqtt import client as mqtt
from paho.mqtt.reasoncodes import ReasonCode

from ingest.backoff import Backoff
from ingest.mqtt.connection import MqttEndpoint
from ingest.mqtt.reasons import FAILURE, failure, refusal
from ingest.mqtt.socket_watch import READ, WRITE, SocketWatch

STEADY_SECONDS: Final = 10.0
"""A connection that held for so long starts the back-off anew; one that is taken away at once does not."""
ANSWER_SECONDS: Final = 8.0
"""How long a broker may take for its CONNACK."""
LARGEST_PACKET: Final = 268_435_460
"""Bytes that a packet of MQTT can have at all (MQTT 5, 2.1.4)."""
PINGREQ: Final = b"\xc0\x00"
DISCONNECT: Final = b"\xe0\x00"

_WOULD_BLOCK = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class MqttSession:
    """One connection at a time to a broker, and what is known about it.

    `connected`: CONNACK said yes. `subscribed`: so did SUBACK for every topic. `session_present`: the
    broker still had our session at the last connection. `connection` counts connections. `round_trip` is
    the time that the last SUBACK took, in seconds; `heard_at` when bytes last came (monotonic clock),
    `waited` how long for (s). `receive_maximum` is how many unacknowledged messages the broker takes, and
    `packet_bytes` how large a packet.
    `problem` is a sentence about what is wrong now, for people, without secrets; None when all is well.
    `attempt_at` is when it connects next, where it is not `open` (monotonic clock).

    `watch` is shared by sessions that one thread drives; without it the session has its own.
    `on_message` and `on_publish` are called for each PUBLISH and PUBACK, `on_change` after `connected`,
    `subscribed` or `problem` has changed.
    Raises EndpointError where a certificate or key cannot be read.
    """

    def __init__(
        self,
        endpoint: MqttEndpoint,
        *,
        persistent: bool,
        topics: Sequence[str] = (),
        manual_ack: bool = False,
        on_message: Callable[[mqtt.MQTTMessage], None] | None = None,
        on_publish: Callable[[int, ReasonCode], None] | None = None,
        on_change: Callable[[], None] | None = None,
        watch: SocketWatch | None = None,
    ) -> None:
        self.endpoint, self.topics = endpoint, tuple(topics)
        self.connected = self.subscribed = self.session_present = False
        self.connection = 0
        self.problem: str | None = None
        self.round_trip = self.heard_at = self.waited = 0.0
        self.receive_maximum, self.packet_bytes = 65_535, LARGEST_PACKET
        self._on_message, self._on_publish, self._on_change = on_message, on_publish, on_change
        self._persistent = persistent
        self._backoff = Backoff()
        self.attempt_at = self._opened_at = self._pinged_at = self._subscribe_at = self._asked_at = 0.0
        self._listened_at = 0.0
        self._opened = self._asked = self._reading = False
        self._ending: str | None = None
        self._packets = 0
        self._unsent = b""
        self._owns_watch = watch is None
        self._watch = watch or SocketWatch()
        self.client = self._make_client(manual_ack)

    def turn(self, wait: float, room: Callable[[], bool] | None = None) -> bool:
        """Waits up to `wait` seconds for the broker, takes what has come, and does what is due.

        Reads no further packet once `room()` is False. Whether somebody called `wake`. Never raises for
        what a broker or network does. Not for a session whose watch is shared.
        """
        due_at = self.arrange(room is None or room())
        ahead = READ if self._reading and self.read_ahead else 0
        ready, woken = self._watch.wait(0 if ahead else min(wait, due_at - time.monotonic()))
        self.exchange(ready.get(self, 0) | ahead, room)
        return woken

    # The parts of a turn, for who waits for many sessions at once

    def arrange(self, reading: bool) -> float:
        """Connects, pings, subscribes where it is due, and tells the watch what to wait for.

        When it is to be called again at the latest (monotonic clock); before that after each `exchange` and
        `send`, and when `reading` changes: whether there is room for packets.
        """
        now = time.monotonic()
        if self._opened:
            self._do_what_is_due(now)
        elif now >= self.attempt_at:
            self._connect(now)
        self._notice_end()
        if not self._opened:
            return self.attempt_at
        if reading != self._reading:
            self._reading, self._listened_at = reading, self._watch.waited_in_all
        interest = (READ if reading else 0) | (WRITE if self._writing else 0)
        self._watch.watch(self.client.socket(), interest, self)
        return self._due_at

    def exchange(self, ready: int, room: Callable[[], bool] | None = None) -> None:
        """Writes and reads what the socket is `ready` for (READ | WRITE) after the watch's last wait."""
        if self._opened and ready & WRITE:
            self._flush()
        if self._opened and ready & READ:
            self.heard_at, self.waited = self._watch.ended_at, self._watch.waited
            self._listened_at = self._watch.waited_in_all
            if room is None or room():
                self._read(room)
        self._notice_end()

    @property
    def open(self) -> bool:
        """There is a connection, or it is being made."""
        return self._opened

    @property
    def read_ahead(self) -> bool:
        """There are bytes that TLS has decrypted, which a watch does not see."""
        sock: Any = self.client.socket()
        return self.endpoint.tls and self._opened and sock is not None and sock.pending() > 0

    def send(self, packets: bytes) -> None:
        """Sends whole packets, in order, as soon as the socket takes them."""
        self._unsent += packets
        self._flush()

    def wake(self) -> None:
        """Ends a wait in `turn`; from any thread, or a signal handler."""
        self._watch.wake()

    # Its end, for `farewell`

    def say_farewell(self) -> None:
        """Sends a DISCONNECT behind what is unsent."""
        if self.connected:
            self.send(DISCONNECT)

    @property
    def ending(self) -> int:
        """What of its socket is waited for (READ | WRITE) until the broker hangs up; 0 once it has."""
        if not self._opened or not self.connected or self.client.socket() is None:
            return 0
        return READ | (WRITE if self._writing else 0)

    def hear_out(self, ready: int) -> None:
        """Writes what is unsent; what comes is the broker's again, since it is not acknowledged."""
        if ready & WRITE:
            self._flush()
        sock: Any = self.client.socket()
        try:
            while sock is not None and sock.recv(1 << 16):
                pass
        except _WOULD_BLOCK:
            return
        except OSError:  # hung up already
            pass
        self._opened = False

    def drop(self) -> None:
        """Ends the connection as it stands, for ever; a persistent session stays at the broker."""
        self._opened = self.connected = self.subscribed = False
        self._hang_up()
        if self._owns_watch:
            self._watch.close()

    # Reading and writing

    def _read(self, room: Callable[[], bool] | None) -> None:
        """Takes packets while there are whole ones and room; paho does not say whether it took one."""
        client = self.client
        while client.socket() is not None:
            before = self._packets
            client.loop_read()
            if self._packets == before or (room is not None and not room()):
                return

    @property
    def _writing(self) -> bool:
        return bool(self._unsent) or self.client.want_write()

    def _flush(self) -> None:
        if self.client.want_write():
            self.client.loop_write()  # first: a packet of paho's may be half written
        sock: Any = self.client.socket()
        try:
            while self._unsent and sock is not None and not self.client.want_write():
                self._unsent = self._unsent[sock.send(self._unsent) :]
        except _WOULD_BLOCK:
            return
        except OSError as error:
            self._lost(f"the connection to the broker at {self._address} was lost: {failure(error)}")

    # What is due by the clock

    @property
    def _due_at(self) -> float:
        if not self.connected:
            return self._opened_at + ANSWER_SECONDS
        ping_at = self._pinged_at + self._ping_seconds
        return ping_at if self.subscribed or self._asked else min(ping_at, self._subscribe_at)

    @property
    def _ping_seconds(self) -> float:
        return (self.client.keepalive or 60) / 2  # the broker may have set another than we asked for

    def _do_what_is_due(self, now: float) -> None:
        silence = self._watch.waited_in_all - self._listened_at if self._reading else 0.0
        if not self.connected and now >= self._opened_at + ANSWER_SECONDS:
            self._lost(f"what listens at {self._address} does not answer as an MQTT broker does")
        elif self.connected and silence > 2 * self._ping_seconds:
            self._lost(f"the broker at {self._address} has been silent for {silence:.0f} s")
        elif self.connected:
            self._ping_and_subscribe(now)

    def _ping_and_subscribe(self, now: float) -> None:
        if now >= self._pinged_at + self._ping_seconds:
            self._pinged_at = now
            if not self._unsent:
                self.send(PINGREQ)
        if self.subscribed or self._asked or now < self._subscribe_at:
            return
        if self._unsent:
            self._subscribe_at = now + self._backoff.first
        elif self.topics:
            self._asked, self._asked_at = True, now
            self.client.subscribe([(topic, 1) for topic in self.topics])
        else:
            self.subscribed = True

    # Connecting

    def _connect(self, now: float) -> None:
        self._opened_at, self._unsent = now, b""
        self._reading, self._listened_at = True, self._watch.waited_in_all
        self._ending, self._asked, self._opened = None, False, True
        try:
            self.client.reconnect()
        except ssl.SSLError as error:
            self._lost(f"TLS with the broker at {self._address} failed: {failure(error)}")
        except OSError as error:
            self._lost(f"the broker at {self._address} does not answer: {failure(error)}")

    def _notice_end(self) -> None:
        if self._opened and self.client.socket() is None:  # paho closes it when it fails
            self._lost(self._ending or self._sudden_end())

    def _lost(self, problem: str) -> None:
        now = time.monotonic()
        if self.connected and now > self._opened_at + STEADY_SECONDS:
            self._backoff.reset()
        self.attempt_at = now + self._backoff.delay()
        self._opened = self.connected = self.subscribed = False
        self._hang_up()
        self._say(problem)

    def _sudden_end(self) -> str:
        lost = f"the connection to the broker at {self._address} was lost"
        held = time.monotonic() - self._opened_at
        if self.connected and held < STEADY_SECONDS and self._backoff.failures > 1:
            return f"{lost} after {held:.1f} s, again: there may be another client with our client id"
        return lost

    def _hang_up(self) -> None:
        self.endpoint.aim(
            self.client, persistent=self._persistent
        )  # paho closes what is open when it is aimed

    def _say(self, problem: str | None) -> None:
        self.problem = problem
        if self._on_change is not None:
            self._on_change()

    @property
    def _address(self) -> str:
        return f"{self.endpoint.host}:{self.endpoint.port}"

    # What paho tells

    def _make_client(self, manual_ack: bool) -> mqtt.Client:
        client = self.endpoint.client(persistent=self._persistent, manual_ack=manual_ack)
        client.on_socket_close = lambda _client, _userdata, sock: self._watch.forget(sock)
        client.on_connect = self._connack
        client.on_subscribe = self._suback
        client.on_disconnect = self._disconnected
        client.on_message = self._message
        client.on_publish = self._puback
        return client

    def _connack(
        self,
        _client: mqtt.Client,
        _userdata: Any,
        flags: mqtt.ConnectFlags,
        reason: ReasonCode,
        properties: Any,
    ) -> None:
        if reason.value >= FAILURE:
            self._ending = f"the broker at {self._address} refused the connection: {refusal(reason)}"
            return
        self.connection += 1
        self.connected, self.session_present = True, flags.session_present
        self.receive_maximum = getattr(properties, "ReceiveMaximum", 65_535)
        self.packet_bytes = getattr(properties, "MaximumPacketSize", LARGEST_PACKET)
        self._pinged_at, self._subscribe_at = time.monotonic(), 0.0
        self._say(None)

    def _suback(
        self, _client: mqtt.Client, _userdata: Any, _mid: int, reasons: list[ReasonCode], _properties: Any
    ) -> None:
        now = time.monotonic()
        self._packets += 1
        self._asked, self.round_trip = False, now - self._asked_at
        refused = [
            f"{topic} ({refusal(reason)})"
            for topic, reason in zip(self.topics, reasons, strict=False)
            if reason.value >= FAILURE
        ]
        self.subscribed = not refused
        if refused:
            self._subscribe_at = now + self._backoff.delay()
            self._say(f"the broker at {self._address} refuses subscription to {', '.join(refused)}")
        else:
            self._say(None)

    def _disconnected(
        self,
        _client: mqtt.Client,
        _userdata: Any,
        flags: mqtt.DisconnectFlags,
        reason: ReasonCode,
        _properties: Any,
    ) -> None:
        if flags.is_disconnect_packet_from_server and self._ending is None:
            self._ending = f"the broker at {self._address} ended the connection: {refusal(reason)}"

    def _message(self, _client: mqtt.Client, _userdata: Any, message: mqtt.MQTTMessage) -> None:
        self._packets += 1
        if self._on_message is not None:
            self._on_message(message)

    def _puback(
        self, _client: mqtt.Client, _userdata: Any, mid: int, reason: ReasonCode, _properties: Any
    ) -> None:
        self._packets += 1
        if self._on_publish is not None:
            self._on_publish(mid, reason)
