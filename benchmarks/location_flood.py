"""Posts bodies over many connections as fast as a server answers, each connection its own, one by one.

Requests are written before the clock starts: an HTTP client would be slower than what it measures.
"""

import asyncio
import time
from collections.abc import Sequence
from urllib.parse import urlsplit


def requests_per_second(url: str, bodies: Sequence[bytes], connections: int) -> float:
    """Raises AssertionError where an answer is not 200, or says more than that all is well."""
    return asyncio.run(_flood(url, bodies, connections))


async def _flood(url: str, bodies: Sequence[bytes], connections: int) -> float:
    address = urlsplit(url)
    host, port = address.hostname or "", address.port or 80
    requests = [_request(address.path, f"{host}:{port}", body) for body in bodies]
    opened = [await asyncio.open_connection(host, port) for _ in range(connections)]
    began = time.perf_counter()
    await asyncio.gather(
        *(_post(*streams, requests[number::connections]) for number, streams in enumerate(opened))
    )
    took = time.perf_counter() - began
    for _, writer in opened:
        writer.close()
    return len(bodies) / took


async def _post(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, requests: Sequence[bytes]
) -> None:
    for request in requests:
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0])
        answer = await reader.readexactly(length)
        assert head.startswith(b"HTTP/1.1 200") and answer == b'{"Errors":[]}', (head, answer)


def _request(path: str, host: str, body: bytes) -> bytes:
    head = f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body
