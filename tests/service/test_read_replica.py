"""Reads from a streaming replica of PostgreSQL: what it may answer, and what it is not asked."""

import itertools
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any

import httpx
import pytest

from service.api.app import create_app
from service.api.services import ApiServices
from service.errors import ReplicaBehind
from service.read_replica import ReadReplica
from service.store.postgres import open_postgres
from tests.http_servers import served
from tests.replicas import Pair
from tests.service.api.ground import feature_collection, square
from tests.service.workshop import Workshop, box
from tests.stores import PostgresStore
from tests.waiting import wait_until

MAX_LAG = 30.0
NUMBERS = itertools.count()
CURSOR_LISTS = ("/v1/events", "/v1/rejects", "/v1/alerts")


@dataclass
class Ground:
    """Two APIs of a tracker at the primary: one that reads from the replica, and one that does not.

    Each test has a tracker of its own, by `name`. `clock` shows the seconds by which lag is counted.
    """

    pair: Pair
    workshop: Workshop
    replica: ReadReplica
    api: httpx.Client
    at_primary: httpx.Client
    clock: list[float]
    name: str = "default"

    def later(self, seconds: float) -> None:
        """Looks at the replica when so many seconds have passed."""
        self.clock[0] += seconds
        self.replica.look()

    def go_on(self) -> None:
        self.pair.goes_on()
        self.later(1)

    def cross(self, device: str) -> None:
        """Gives an event and a reject."""
        messages = (self.workshop.fix(device, 0, 5), self.workshop.fix(device, 1, 1000))
        self.workshop.tracker.ingest(messages, self.name)

    def page(self, path: str, **query: str) -> Any:
        return self._page(self.api, path, query)

    def page_of_primary(self, path: str, **query: str) -> Any:
        return self._page(self.at_primary, path, query)

    def _page(self, client: httpx.Client, path: str, query: dict[str, str]) -> Any:
        answer = client.get(path, params={"tracker": self.name, **query})
        assert answer.status_code == 200, answer.text
        return answer.json()


@pytest.fixture(scope="module")
def common_ground(pair: Pair) -> Iterator[Ground]:
    with ExitStack() as stack:
        url = pair.primary.new_database()
        pair.goes_on()
        clock = [1000.0]
        workshop = Workshop(PostgresStore(url))
        stack.callback(workshop.database.close)
        replica = ReadReplica(
            workshop.database, open_postgres(pair.replica_url(url)), MAX_LAG, lambda: clock[0]
        )
        stack.callback(replica.close)
        workshop.catalog.put("default", [box("A", 0, 10)])

        def client(reads_from: ReadReplica | None) -> httpx.Client:
            services = ApiServices(
                workshop.database,
                workshop.tracker,
                workshop.catalog,
                lambda: {"read replica": replica.dependency()},
                workshop.metrics.registry,
                "1.2.3",
                replica=reads_from,
            )
            where = stack.enter_context(served(create_app(services)))
            return stack.enter_context(httpx.Client(base_url=where, timeout=30))

        yield Ground(pair, workshop, replica, client(replica), client(None), clock)


@pytest.fixture
def ground(common_ground: Ground) -> Iterator[Ground]:
    name = f"tracker-{next(NUMBERS)}"
    common_ground.workshop.catalog.create_tracker(name, position_events=False)
    common_ground.workshop.catalog.link(name, "default")
    common_ground.go_on()
    yield replace(common_ground, name=name)
    common_ground.go_on()


def devices_of(page: Any) -> list[str]:
    return [each["deviceId"] for each in page["items"]]


def test_what_is_read_comes_from_the_replica(ground: Ground) -> None:
    ground.pair.stands()
    ground.cross("x")
    for path in ("/v1/events", "/v1/rejects", "/v1/positions"):
        assert ground.page(path)["items"] == []
        assert len(ground.page_of_primary(path)["items"]) == 1
    assert ground.page("/v1/devices")["features"] == []

    ground.go_on()
    assert ground.page("/v1/events") == ground.page_of_primary("/v1/events")
    assert ground.page("/v1/devices") == ground.page_of_primary("/v1/devices")


def test_a_cursor_that_the_replica_has_not_reached_waits_there_and_skips_nothing(ground: Ground) -> None:
    ground.pair.stands()
    ground.cross("x")
    ahead = {path: ground.page_of_primary(path)["resumeCursor"] for path in CURSOR_LISTS}
    for path, cursor in ahead.items():
        assert ground.page(path, cursor=cursor) == {
            "items": [],
            "nextCursor": None,
            "resumeCursor": cursor,
        }
    ground.cross("y")
    ground.go_on()
    for path in ("/v1/events", "/v1/rejects"):
        assert devices_of(ground.page(path, cursor=ahead[path])) == ["y"]


def test_what_the_replica_does_not_know_yet_the_primary_is_asked_for(ground: Ground) -> None:
    ground.pair.stands()
    ground.workshop.catalog.create_tracker("trucks", position_events=False)
    cursor = ground.page_of_primary("/v1/events", tracker="trucks")["resumeCursor"]

    assert ground.page("/v1/events", tracker="trucks", cursor=cursor)["resumeCursor"] == cursor
    assert ground.api.get("/v1/trackers/trucks").status_code == 200
    assert ground.api.get("/v1/trackers/ships").status_code == 404


def test_who_changes_something_sees_it_whatever_the_replica_has(ground: Ground) -> None:
    ground.pair.stands()
    answer = ground.api.post("/v1/geofences", json=feature_collection(square("B", 20, 0)))
    assert answer.status_code == 200
    assert ground.api.get("/v1/geofences/B").status_code == 200
    ground.cross("x")
    assert ground.api.delete("/v1/devices/x", params={"tracker": ground.name}).status_code == 204
    assert ground.page("/v1/devices")["features"] == []

    ground.go_on()
    ground.pair.stands()
    ground.cross("y")
    assert ground.page("/v1/events")["items"] == []  # of the replica again


def test_posted_positions_do_not_bring_reads_to_the_primary(ground: Ground) -> None:
    ground.pair.stands()
    position = {"deviceId": "x", "timestamp": ground.workshop.began, "longitude": 5, "latitude": 0}
    assert ground.api.post("/v1/positions", json=position, params={"tracker": ground.name}).status_code == 202
    assert ground.page("/v1/devices")["features"] == []
    assert len(ground.page_of_primary("/v1/devices")["features"]) == 1


def test_one_that_is_too_far_behind_is_not_shown_and_makes_it_unready(ground: Ground) -> None:
    ground.pair.stands()
    ground.cross("x")
    ground.later(MAX_LAG - 1)
    state = ground.api.get("/v1/ready").json()["dependencies"]["read replica"]
    assert state["ok"]
    assert state["lagSeconds"] == MAX_LAG - 1
    assert "29.0 s behind, streams" in state["detail"]
    assert ground.page("/v1/events")["items"] == []

    ground.later(2)
    answer = ground.api.get("/v1/events")
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "2"
    assert "31.0 s behind, more than OVERFLY_DATABASE_READ_MAX_LAG (30 s)" in answer.json()["detail"]
    ready = ground.api.get("/v1/ready")
    assert ready.status_code == 503
    assert ready.json()["dependencies"]["read replica"]["lagSeconds"] == MAX_LAG + 1
    put = ground.api.post("/v1/geofences", json=feature_collection(square("C", 20, 0)))
    assert put.status_code == 200  # the primary's
    assert ground.api.get("/v1/geofences/C").status_code == 503

    ground.go_on()
    assert devices_of(ground.page("/v1/events")) == ["x"]


def test_the_lag_is_that_of_the_newest_place_that_it_has_passed(ground: Ground) -> None:
    ground.cross("x")
    ground.go_on()
    ground.pair.stands()
    for number in range(5):
        ground.cross(f"y{number}")
        ground.later(4)
    assert ground.replica.dependency().lag == 20

    ground.go_on()
    assert ground.replica.dependency().lag == 0


def test_nobody_looking_is_as_good_as_lag(ground: Ground) -> None:
    ground.clock[0] += MAX_LAG + 1
    with pytest.raises(ReplicaBehind, match="more than OVERFLY_DATABASE_READ_MAX_LAG"), ground.replica.read():
        pass


def test_no_lag_is_claimed_where_nothing_is_written(ground: Ground) -> None:
    ground.go_on()
    ground.later(3600)
    wait_until(lambda: ground.later(1) or ground.replica.dependency().lag == 0, 30)
    assert ground.replica.dependency().detail.startswith("0.0 s behind, streams")


def test_a_replica_that_is_away_is_said_and_comes_back(ground: Ground) -> None:
    ground.cross("x")
    ground.pair.replica.stop()
    ground.later(1)
    answer = ground.api.get("/v1/events")
    assert answer.status_code == 503
    assert "retry-after" in answer.headers
    assert ground.api.get("/v1/ready").status_code == 503
    assert ground.api.get("/v1/health").status_code == 200

    ground.pair.replica.start()
    ground.go_on()
    assert devices_of(ground.page("/v1/events")) == ["x"]


def test_while_the_primary_is_away_the_replica_is_read_as_long_as_it_may_be_behind(ground: Ground) -> None:
    ground.cross("x")
    ground.go_on()
    ground.pair.primary.stop()
    try:
        ground.later(MAX_LAG - 5)
        assert devices_of(ground.page("/v1/events")) == ["x"]
        assert "the primary cannot be asked" in ground.replica.dependency().detail
        ground.later(10)
        assert ground.api.get("/v1/events").status_code == 503
    finally:
        ground.pair.primary.start()
    ground.go_on()
    assert devices_of(ground.page("/v1/events")) == ["x"]


def test_until_a_place_is_passed_the_time_of_the_last_commit_tells(ground: Ground) -> None:
    ground.pair.stands()
    ground.cross("x")
    late = ReadReplica(
        ground.workshop.database,
        open_postgres(ground.pair.replica_url(ground.workshop.store.name)),
        MAX_LAG,
        lambda: ground.clock[0],
    )
    late.look()
    lag = late.dependency().lag
    assert lag is not None
    assert 0 < lag < MAX_LAG
    late.close()


@pytest.mark.parametrize(
    ("other", "why"),
    [("primary", "replays nothing"), ("database", "of another server or database")],
)
def test_what_is_no_replica_of_this_database_is_not_read(ground: Ground, other: str, why: str) -> None:
    if other == "primary":
        url = ground.workshop.store.name
    else:
        url = ground.pair.replica_url(ground.pair.primary.new_database())
        ground.go_on()
    replica = ReadReplica(ground.workshop.database, open_postgres(url), MAX_LAG)
    replica.look()
    with pytest.raises(ReplicaBehind, match=why), replica.read():
        pass
    assert not replica.dependency().ok
    replica.close()
