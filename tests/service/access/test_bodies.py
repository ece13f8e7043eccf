"""Bodies that are too long, too deep or too slow: refused, and nobody else notices."""

import http.client
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from urllib.parse import urlsplit

import pytest

from ingest.timestamps import iso
from service.access import request_body
from service.access.caller import Scope
from service.access.fair_share import Shares
from service.timestamps import now
from tests.gates import Keys
from tests.service.access.guarded import Guarded
from tests.service.api.ground import grounded
from tests.stores import Store

TAKERS = (
    ("POST", "/v1/keys"),
    ("POST", "/v1/trackers"),
    ("PATCH", "/v1/trackers/default"),
    ("POST", "/v1/positions"),
    ("POST", "/v1/geofences"),
    ("PUT", "/v1/geofences/x"),
    ("POST", "/owntracks?u=a&d=b"),
    ("POST", "/osmand?id=a"),
    ("POST", "/tracking/v0/list-trackers"),
    ("POST", "/tracking/v0/trackers/default/positions"),
    ("PUT", "/geofencing/v0/collections/default/geofences/x"),
    ("POST", "/tags/arn%3Aaws%3Ageo%3Aus-east-1%3A000000000000%3Atracker%2Fdefault"),
)
DEEP = (b"[" * 100_000, b'{"a":' * 100_000, b'{"Updates":' + b"[" * 100_000 + b"]" * 100_000 + b"}")


def test_nesting_without_end_is_a_bad_request(guarded: Guarded) -> None:
    admin = guarded.keys.make(Scope.ADMIN)
    for method, path in TAKERS:
        for body in DEEP:
            answer = guarded.ask(admin, method, path, content=body)
            refused = answer.status_code in (400, 413)
            put_aside = path.startswith("/owntracks") or (not refused and answer.json()["rejected"])
            assert refused or put_aside, (path, answer.status_code, answer.text)


def test_a_body_longer_than_its_operation_takes_is_not_read(guarded: Guarded) -> None:
    admin = guarded.keys.make(Scope.ADMIN)
    url = urlsplit(guarded.url)
    for method, path in TAKERS:
        connection = http.client.HTTPConnection(url.netloc, timeout=30)
        connection.putrequest(method, path)
        connection.putheader("X-Api-Key", admin.secret)
        connection.putheader("Content-Length", str(1 << 40))
        connection.endheaders()  # and no byte of it
        answer = connection.getresponse()
        assert answer.status == 413, path
        connection.close()


def test_a_stranger_s_body_is_not_read(guarded: Guarded) -> None:
    url = urlsplit(guarded.url)
    connection = http.client.HTTPConnection(url.netloc, timeout=30)
    connection.putrequest("POST", "/v1/geofences")
    connection.putheader("Content-Length", "1000")
    connection.endheaders()
    assert connection.getresponse().status == 401
    connection.close()


@pytest.fixture
def small(sqlite_store: Store, monkeypatch: pytest.MonkeyPatch) -> Iterator[Guarded]:
    """With two requests at work at once, and a second for bodies."""
    monkeypatch.setattr(request_body, "GRACE_SECONDS", 1.0)
    keys = Keys(sqlite_store.open())
    control = keys.control(shares=Shares(in_all=2, of_one=1))
    with grounded(sqlite_store, access=control) as ground:
        yield Guarded(ground, keys, control)
    keys.database.close()


def connected(guarded: Guarded) -> socket.socket:
    url = urlsplit(guarded.url)
    return socket.create_connection((str(url.hostname), int(url.port or 0)), timeout=60)


def test_slow_senders_take_no_place_and_are_given_up(small: Guarded) -> None:
    slow, other = small.keys.make(Scope.WRITE), small.keys.make(Scope.READ)
    url = urlsplit(small.url)
    head = (
        f"POST /v1/positions HTTP/1.1\r\nHost: {url.netloc}\r\nX-Api-Key: {slow.secret}\r\n"
        "Content-Length: 1000\r\n\r\n["
    )
    with ExitStack() as held:
        senders = [held.enter_context(connected(small)) for _ in range(50)]
        for sender in senders:
            sender.sendall(head.encode())
        for _ in range(5):
            assert small.ask(other, "GET", "/v1/devices").status_code == 200
        for sender in senders:
            assert sender.recv(1000).startswith(b"HTTP/1.1 408 ")


def test_positions_that_wait_for_a_commit_take_no_place_and_are_stored_together(small: Guarded) -> None:
    sender, other = small.keys.make(Scope.WRITE), small.keys.make(Scope.READ)
    path, time = "/tracking/v0/trackers/default/positions", iso(now())
    update = {"DeviceId": "truck", "SampleTime": time, "Position": [8.5, 47.4]}

    def post(number: int) -> int:
        updates = {"Updates": [{**update, "DeviceId": f"truck-{number}"}]}
        return small.ask(sender, "POST", path, json=updates).status_code

    with ThreadPoolExecutor(20) as callers:
        with small.ground.database.write():  # holds up the first commit
            posted = [callers.submit(post, number) for number in range(20)]
            for _ in range(5):
                assert small.ask(other, "GET", "/v1/devices").status_code == 200
        assert {each.result() for each in posted} == {200}
    devices = small.ask(other, "GET", "/v1/devices").json()["features"]
    assert len(devices) == 20
    assert len({each["properties"]["receivedTime"] for each in devices}) < 5


def test_who_asks_a_hundred_times_at_once_keeps_nobody_waiting(small: Guarded) -> None:
    greedy, other = small.keys.make(Scope.READ), small.keys.make(Scope.READ)
    url = urlsplit(small.url)
    asked = f"GET /v1/devices HTTP/1.1\r\nHost: {url.netloc}\r\nX-Api-Key: {greedy.secret}\r\n\r\n".encode()
    with ExitStack() as held:
        askers = [held.enter_context(connected(small)) for _ in range(100)]
        for asker in askers:
            asker.sendall(asked)
        assert small.ask(other, "GET", "/v1/devices").status_code == 200
        for asker in askers:
            assert asker.recv(1000).startswith((b"HTTP/1.1 200 ", b"HTTP/1.1 429 "))
