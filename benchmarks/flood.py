"""Publishes many positions at QoS 1 as fast as a broker takes them.

`python -m benchmarks.flood URL COUNT [--devices N]` publishes COUNT messages of real look at
aircraft/<id>/position and prints one line of JSON when all are acknowledged: `{"messages": n, "seconds": s}`.

It writes the packets itself: paho's publisher would be slower than the subscribers that are measured. It
speaks MQTT 3.1.1 (https://docs.oasis-open.org/mqtt/mqtt/v3.1.1/mqtt-v3.1.1.html).
"""

import argparse
import json
import socket
import struct
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

WINDOW = 1000
"""Packets sent before their acknowledgements are waited for."""
CONNECT = b"\x10\x12\x00\x04MQTT\x04\x02\x00\x00\x00\x06flood1"
ACKNOWLEDGEMENT_BYTES = 4


def payloads(count: int, devices: int) -> Iterator[tuple[str, bytes]]:
    """Topic and payload of fixes 5 s apart of each device, in turn."""
    start = int(time.time() * 1000) - 5000 * (count // devices + 1)
    for number in range(count):
        device, step = number % devices, number // devices
        identifier = f"{0x4B0000 + device:06x}"
        fix = {
            "deviceId": identifier,
            "timestamp": start + 5000 * step,
            "latitude": round(46.0 + (device % 97) * 0.02 + step * 0.001, 6),
            "longitude": round(6.0 + (device % 89) * 0.05 + step * 0.002, 6),
            "altitude": 11582.4,
            "speed": 225.4,
            "heading": 292.4,
            "verticalRate": 0.0,
            "accuracy": 10,
            "callsign": f"OVF{device % 10_000:04d}",
        }
        yield f"aircraft/{identifier}/position", json.dumps(fix, separators=(",", ":")).encode()


def publish_packet(topic: str, payload: bytes, packet_id: int) -> bytes:
    name = topic.encode()
    body = struct.pack("!H", len(name)) + name + struct.pack("!H", packet_id) + payload
    length, remaining = bytearray(), len(body)
    while True:
        remaining, digit = divmod(remaining, 128)
        length.append(digit | (128 if remaining else 0))
        if not remaining:
            return b"\x32" + bytes(length) + body


def flood(url: str, count: int, devices: int = 1000) -> float:
    """Seconds from the first packet to the last acknowledgement."""
    address = urlsplit(url)
    packets = [
        publish_packet(topic, payload, 1 + number % 65_000)
        for number, (topic, payload) in enumerate(payloads(count, devices))
    ]
    with socket.create_connection((address.hostname or "127.0.0.1", address.port or 1883)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall(CONNECT)
        _read(connection, 4)
        started = time.perf_counter()
        owed = 0
        for first in range(0, count, WINDOW):
            window = packets[first : first + WINDOW]
            connection.sendall(b"".join(window))
            _read(connection, owed * ACKNOWLEDGEMENT_BYTES)
            owed = len(window)
        _read(connection, owed * ACKNOWLEDGEMENT_BYTES)
        return time.perf_counter() - started


def _read(connection: socket.socket, length: int) -> None:
    while length:
        data = connection.recv(min(length, 1 << 16))
        if not data:
            raise ConnectionError("the broker closed the connection")
        length -= len(data)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("count", type=int)
    parser.add_argument("--devices", type=int, default=1000)
    arguments = parser.parse_args()
    seconds = flood(arguments.url, arguments.count, arguments.devices)
    print(json.dumps({"messages": arguments.count, "seconds": seconds}), flush=True)


if __name__ == "__main__":
    main()
