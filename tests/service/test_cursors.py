"""Lists that are followed by cursors while many write, some commit late, and others take their time."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import psycopg
import pytest
from sqlalchemy import Connection, select, text

from ingest.decoding.rejects import Reject
from service.api.app import create_app
from service.api.services import ApiServices
from service.dispatch.email_channel import EmailChannel
from service.dispatch.outbox import Dispatcher
from service.dispatch.smtp import SmtpServer
from service.metrics import Metrics
from service.read_replica import ReadReplica
from service.store.alerts import gather_all
from service.store.events import insert_events
from service.store.postgres import open_postgres
from service.store.rejects import insert_rejects
from service.store.schema import event
from service.timestamps import now
from tests.http_servers import served
from tests.postgres import session
from tests.replicas import Pair
from tests.service.dispatch.post_office import PostOffice
from tests.service.workshop import Workshop, box
from tests.stores import PostgresStore
from tests.waiting import wait_until

RECIPIENTS = ("ops", "tower", "apron")
CHANNELS = [f"email:{name}@example.org" for name in RECIPIENTS]
WRITERS = 4
LONG = 30.0  # seconds


@dataclass
class Site:
    """A workshop at the primary, and its APIs: one reads from the primary, one from a replica."""

    workshop: Workshop
    apis: list[httpx.Client]

    @contextmanager
    def long_transaction_elsewhere(self) -> Iterator[None]:
        """One that sees what was there when it began, and has written something that is nobody's business."""
        with session(self.workshop.store.name) as connection:
            connection.execute("CREATE TABLE IF NOT EXISTS unrelated (number int)")
            connection.commit()
            connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            connection.execute("INSERT INTO unrelated VALUES (1)")
            connection.execute("SELECT count(*) FROM event, reject, alert")
            yield
            connection.rollback()


@pytest.fixture
def site(pair: Pair) -> Iterator[Site]:
    url = pair.primary.new_database()
    pair.goes_on()
    workshop = Workshop(PostgresStore(url), channels=CHANNELS)
    workshop.catalog.put("default", [box("A", 0, 10)])
    replica = ReadReplica(workshop.database, open_postgres(pair.replica_url(url)), LONG)
    looking = threading.Thread(target=replica.run)
    looking.start()
    wait_until(lambda: replica.dependency().ok, 30)
    with ExitStack() as stack:
        stack.callback(replica.close)
        stack.callback(looking.join)
        stack.callback(replica.stop)

        def client(reads_from: ReadReplica | None) -> httpx.Client:
            services = ApiServices(
                workshop.database,
                workshop.tracker,
                workshop.catalog,
                lambda: {},
                workshop.metrics.registry,
                "1.2.3",
                replica=reads_from,
            )
            where = stack.enter_context(served(create_app(services)))
            return stack.enter_context(httpx.Client(base_url=where, timeout=30))

        yield Site(workshop, [client(None), client(replica)])
    workshop.database.close()


def add_event(connection: Connection, number: int) -> None:
    row = dict(connection.execute(select(event).limit(1)).mappings().one())
    del row["seq"]
    insert_events(connection, [{**row, "event_id": f"{number:032}", "device_id": f"late-{number}"}], [])


def add_reject(connection: Connection, number: int) -> None:
    refused = Reject(
        "not_json", "of this test", None, f"late-{number}", b"%d" % number, 0, None, redelivered=False
    )
    insert_rejects(connection, 1, [refused], now())


def add_alert(connection: Connection, number: int) -> None:
    recipient = f"{RECIPIENTS[number]}@example.org"
    gather_all(connection, f"email:{recipient}", "email", recipient, now())


@pytest.mark.parametrize(
    ("path", "add", "name", "names"),
    [
        ("/v1/events", add_event, "deviceId", ["late-0", "late-1"]),
        ("/v1/rejects", add_reject, "deviceId", ["late-0", "late-1"]),
        ("/v1/alerts", add_alert, "recipient", ["ops@example.org", "tower@example.org"]),
    ],
)
def test_a_row_that_commits_late_is_not_skipped(
    site: Site, path: str, add: Callable[[Connection, int], None], name: str, names: list[str]
) -> None:
    site.workshop.ingest(site.workshop.fix("x", 0, 5))
    first = Following(path, site.apis[:1])
    first.go_on()
    before = len(first.items)
    database = site.workshop.database

    def add_second() -> None:
        with database.write() as connection:
            add(connection, 1)

    second = threading.Thread(target=add_second)
    with site.long_transaction_elsewhere():
        with database.write() as connection:
            add(connection, 0)
            second.start()
            wait_until(lambda: not second.is_alive() or somebody_waits(site), LONG)
            first.go_on()
        second.join()
        first.go_on()
        assert [each[name] for each in first.items[before:]] == names


def somebody_waits(site: Site) -> bool:
    waiting = (
        "SELECT count(*) FROM pg_stat_activity "
        "WHERE wait_event_type = 'Lock' AND datname = current_database()"
    )
    with site.workshop.database.read() as connection:
        return bool(connection.scalar(text(waiting)))


@dataclass
class Following:
    """One who reads a list to its end and comes back, at one API after the other."""

    path: str
    apis: list[httpx.Client]
    items: list[dict[str, Any]] = field(default_factory=list)
    cursor: str | None = None
    pages: int = 0

    def go_on(self) -> None:
        """Reads what has come, as far as one of the APIs has it."""
        more = True
        while more:
            place = {} if self.cursor is None else {"cursor": self.cursor}
            answer = self.apis[self.pages % len(self.apis)].get(self.path, params={"limit": "7", **place})
            assert answer.status_code == 200, answer.text
            page = answer.json()
            self.pages += 1
            self.items += page["items"]
            self.cursor = page["resumeCursor"]
            more = page["nextCursor"] is not None

    def is_at(self, other: "Following") -> bool:
        """Goes on; answers whether it has come as far as another one."""
        self.go_on()
        return self.cursor == other.cursor


@pytest.mark.parametrize("batches", [10, pytest.param(300, marks=pytest.mark.soak)])
def test_many_writers_a_reader_and_a_long_transaction_elsewhere(site: Site, batches: int) -> None:
    ended = threading.Event()
    following = {path: Following(path, site.apis) for path in ("/v1/events", "/v1/rejects", "/v1/alerts")}
    seen_on_the_way: dict[str, int] = {}

    def follow(one: Following) -> None:
        while not ended.is_set():
            one.go_on()
        seen_on_the_way[one.path] = len(one.items)

    with PostOffice() as office, site.long_transaction_elsewhere():
        written = threading.Event()
        work = [threading.Thread(target=write, args=(site, number, batches)) for number in range(WRITERS)]
        mails = [threading.Thread(target=tell, args=(site, office.url, each, written)) for each in RECIPIENTS]
        reading = [threading.Thread(target=follow, args=(each,)) for each in following.values()]
        for each in (*reading, *mails, *work):
            each.start()
        for each in work:
            each.join()
        written.set()
        for each in mails:
            each.join()
        ended.set()
        for each in reading:
            each.join()
        lists = {path: Following(path, site.apis[:1]) for path in following}
        for whole in lists.values():
            whole.go_on()
        wait_until(lambda: all(following[path].is_at(whole) for path, whole in lists.items()), LONG)

    assert following["/v1/events"].items == lists["/v1/events"].items
    assert len(lists["/v1/events"].items) == WRITERS * batches
    assert following["/v1/rejects"].items == lists["/v1/rejects"].items
    assert len(lists["/v1/rejects"].items) == WRITERS * batches
    newest = {each["alertId"]: each for each in following["/v1/alerts"].items}
    assert newest == {each["alertId"]: each for each in lists["/v1/alerts"].items}
    assert sum(each["eventCount"] for each in newest.values()) == len(RECIPIENTS) * WRITERS * batches
    assert all(seen_on_the_way.values()), "nobody followed while they wrote"


def write(site: Site, number: int, batches: int) -> None:
    """Batches of a device of its own, by a tracker of its own: each gives an event and a reject."""
    workshop = Workshop(site.workshop.store, channels=CHANNELS)
    for batch in range(batches):
        crossing = workshop.fix(f"writer-{number}", batch, 5 if batch % 2 == 0 else 50)
        workshop.ingest(crossing, workshop.fix(f"writer-{number}", batch, 1000))
    workshop.database.close()


def tell(site: Site, url: str, recipient: str, written: threading.Event) -> None:
    """Sends mails of all events to one recipient, as they come."""
    database = site.workshop.store.open()
    channel = EmailChannel(
        SmtpServer.from_url(url, seconds=5),
        sender="overfly@example.org",
        recipient=f"{recipient}@example.org",
        interval=0,
        public_url="http://127.0.0.1:8000",
    )
    dispatcher = Dispatcher(database, channel, now, Metrics())
    stop = threading.Event()
    while dispatcher.round(stop) or not written.wait(0.01):
        pass
    database.close()
