"""Where a broker is and how to speak to it.

Rules of the protocol are cited from MQTT 5: https://docs.oasis-open.org/mqtt/mqtt/v5.0/mqtt-v5.0.html
"""

import socket
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal
from urllib.parse import unquote, urlsplit

from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

Protocol = Literal["5", "3.1.1"]

PORTS: Final = {"mqtt": 1883, "mqtts": 8883}
VERSIONS: Final = {"5": MQTTProtocolVersion.MQTTv5, "3.1.1": MQTTProtocolVersion.MQTTv311}
PACKET_BYTES: Final = 16 << 20
"""Largest packet that we ask an MQTT 5 broker for: payloads beyond 1 MiB are refused where they are seen."""
CONNECT_SECONDS: Final = 4.0
"""How long a TCP connection or a TLS handshake may take."""


class EndpointError(ValueError):
    """A description of a broker that cannot be: says what is wrong, never with a secret in it."""


@dataclass(frozen=True, slots=True)
class MqttEndpoint:
    """A broker and how to speak to it.

    `url` is mqtt://host[:1883] or mqtts://host[:8883]; a user and password in it are taken out of it into the
    fields (a field that is given wins). `receive_maximum` is how many unacknowledged messages we ask an MQTT
    5 broker to send. `session_expiry` (seconds) is how long it keeps a persistent session while we are away;
    with 3.1.1 the broker decides. `keepalive` in seconds.

    Raises EndpointError.
    """

    url: str
    protocol: Protocol = "5"
    client_id: str = ""
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None
    receive_maximum: int = 2000
    session_expiry: int = 7 * 86_400
    keepalive: int = 60

    def __post_init__(self) -> None:
        try:
            parts = urlsplit(self.url)
            port, host = parts.port, parts.hostname
            (host or "").encode("idna")  # as it will be looked up: a label has 63 characters at most
        except ValueError:
            raise EndpointError("the MQTT URL has a host or port that cannot be") from None
        if (
            parts.scheme not in PORTS
            or not host
            or port == 0
            or parts.path.strip("/")
            or parts.query
            or parts.fragment
        ):
            raise EndpointError("an MQTT URL is mqtt://host:1883 or mqtts://host:8883")
        if self.protocol not in VERSIONS:
            raise EndpointError(f"MQTT {self.protocol} is not spoken here; 5 and 3.1.1 are")
        self._take_apart(parts.scheme, host, port or PORTS[parts.scheme], parts.username, parts.password)
        if self.password is not None and self.username is None:
            raise EndpointError("an MQTT password needs a user name")
        if not self.tls and (self.ca_file or self.cert_file):
            raise EndpointError("certificates need an mqtts:// URL")
        if self.key_file and not self.cert_file:
            raise EndpointError("a client key needs its certificate")

    def _take_apart(
        self, scheme: str, host: str, port: int, username: str | None, password: str | None
    ) -> None:
        bracketed = f"[{host}]" if ":" in host else host
        object.__setattr__(self, "url", f"{scheme}://{bracketed}:{port}")
        if self.username is None and username:
            object.__setattr__(self, "username", unquote(username))
            if self.password is None and password is not None:
                object.__setattr__(self, "password", unquote(password))

    @property
    def tls(self) -> bool:
        return self.url.startswith("mqtts:")

    @property
    def host(self) -> str:
        return urlsplit(self.url).hostname or ""

    @property
    def port(self) -> int:
        return urlsplit(self.url).port or PORTS["mqtt"]

    def client(self, *, persistent: bool, manual_ack: bool = False) -> mqtt.Client:
        """A paho client for this broker, not yet connected: `client.reconnect()` opens the connection.

        `persistent` asks for a session that outlives the connection and needs a `client_id`. paho's own
        reconnection is switched off, since it would hide the connection's state, and it holds no
        publication back: it would search all of them at each PUBACK. Who publishes bounds what is in
        flight. Raises EndpointError where a certificate or key cannot be read.
        """
        if persistent and not self.client_id:
            raise EndpointError("a persistent MQTT session needs a fixed client id")
        version = VERSIONS[self.protocol]
        client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id=self.client_id,
            clean_session=None if self.protocol == "5" else not persistent,
            protocol=version,
            reconnect_on_failure=False,
            manual_ack=manual_ack,
        )
        client.connect_timeout = CONNECT_SECONDS
        client.max_inflight_messages = 0
        if self.username is not None:
            client.username_pw_set(self.username, self.password)
        if self.tls:
            client.tls_set_context(self._tls_context())
        client.on_socket_open = _send_at_once
        self.aim(client, persistent=persistent)
        return client

    def aim(self, client: mqtt.Client, *, persistent: bool) -> None:
        """Tells a client where and how to connect at its next `reconnect()`; closes the connection it has."""
        if self.protocol == "5":
            client.connect_async(
                self.host,
                self.port,
                self.keepalive,
                clean_start=not persistent,
                properties=self._connect_properties(persistent),
            )
        else:
            client.connect_async(self.host, self.port, self.keepalive)

    def _connect_properties(self, persistent: bool) -> Properties:
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]  # paho's
        properties.ReceiveMaximum = self.receive_maximum
        properties.MaximumPacketSize = PACKET_BYTES
        if persistent:
            properties.SessionExpiryInterval = (
                self.session_expiry
            )  # without it the session ends with the connection
        return properties

    def _tls_context(self) -> ssl.SSLContext:
        try:
            context = ssl.create_default_context(cafile=self.ca_file)
        except OSError as error:
            raise EndpointError(f"the certificate authority {self.ca_file} cannot be read: {error}") from None
        if self.cert_file:
            try:
                # an empty password, so that an encrypted key is an error and not a question at the terminal
                context.load_cert_chain(self.cert_file, self.key_file, password="")
            except OSError as error:
                files = f"{self.cert_file} with key {self.key_file}"
                raise EndpointError(f"the client certificate {files} cannot be read: {error}") from None
        return context


def _send_at_once(_client: mqtt.Client, _userdata: Any, connection: Any) -> None:
    """Acknowledgements are four bytes each: with Nagle's algorithm they would wait for the broker's."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
