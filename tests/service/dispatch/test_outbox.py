"""From the outbox to mailboxes: all events, once in an interval, through whatever the server does."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from service.dispatch.attempts import GIVE_UP_MS, LONGEST_MS, delay
from service.dispatch.outbox import Dispatcher
from tests.brokers import free_port
from tests.service.dispatch.airfield import MINUTE, Airfield, rounds
from tests.service.dispatch.post_office import PostOffice
from tests.stores import Store
from tests.waiting import wait_until

OPS = "ops@example.org"


@pytest.fixture
def office() -> Iterator[PostOffice]:
    with PostOffice() as opened:
        yield opened


@pytest.fixture
def airfield(store: Store) -> Airfield:
    return Airfield(store, [f"email:{OPS}"])


def test_a_crossing_becomes_a_mail_and_a_sent_alert(airfield: Airfield, office: PostOffice) -> None:
    airfield.cross("4067f2", callsign="TOM2XE", altitude=600)
    rounds(airfield.mail_dispatcher(office.url))

    (received,) = office.received
    (alert,) = airfield.alerts()
    assert received.mail["subject"] == "TOM2XE (4067f2) entered Zürich Airport"
    assert received.event_ids == airfield.workshop.event_ids()
    assert (alert["channel"], alert["recipient"], alert["status"]) == ("email", OPS, "sent")
    assert (alert["attempts"], alert["outcome"]) == (1, f"127.0.0.1:{office.port}: 250 taken")
    assert alert["message_id"] == received.mail["message-id"]
    assert alert["finished_time"] == airfield.clock.now


def test_what_comes_within_the_interval_is_gathered_into_the_next_mail(
    airfield: Airfield, office: PostOffice
) -> None:
    dispatcher = airfield.mail_dispatcher(office.url)
    for _ in range(3):
        airfield.cross_all(["a", "b"])
        rounds(dispatcher)
        airfield.clock.now += 20_000
    assert len(office.received) == 1
    rounds(dispatcher)

    assert [len(each.event_ids) for each in office.received] == [2, 4]
    told = [event_id for each in office.received for event_id in each.event_ids]
    assert told == airfield.workshop.event_ids()


def test_a_restart_does_not_mail_sooner(airfield: Airfield, office: PostOffice) -> None:
    airfield.cross("a")
    rounds(airfield.mail_dispatcher(office.url))
    airfield.cross("a")
    airfield.clock.now += MINUTE - 1
    rounds(airfield.mail_dispatcher(office.url))
    assert len(office.received) == 1

    airfield.clock.now += 1
    rounds(airfield.mail_dispatcher(office.url))
    assert len(office.received) == 2


def test_a_clock_that_was_set_back_does_not_silence_us(airfield: Airfield, office: PostOffice) -> None:
    dispatcher = airfield.mail_dispatcher(office.url)
    airfield.cross("a")
    rounds(dispatcher)
    airfield.cross("a")
    airfield.clock.now -= 24 * 60 * MINUTE
    rounds(dispatcher)

    assert len(office.received) == 2


def test_a_mail_refused_for_now_is_sent_again_the_same(airfield: Airfield, office: PostOffice) -> None:
    dispatcher = airfield.mail_dispatcher(office.url)
    office.answers += ["451 later", "421 later still"]
    airfield.cross("a")
    rounds(dispatcher)
    (pending,) = airfield.alerts()
    assert (pending["status"], pending["attempts"]) == ("pending", 1)
    assert 1000 <= pending["next_attempt_time"] - airfield.clock.now <= 2000
    rounds(dispatcher)
    assert airfield.alerts()[0]["attempts"] == 1

    airfield.cross("a")
    for _ in range(2):
        airfield.clock.now += 4000
        rounds(dispatcher)

    (sent,) = airfield.alerts()
    assert (sent["status"], sent["attempts"], sent["message_id"]) == ("sent", 3, pending["message_id"])
    assert len(office.received[0].event_ids) == 1


def test_a_mail_refused_for_ever_fails_and_the_next_goes_on(airfield: Airfield, office: PostOffice) -> None:
    dispatcher = airfield.mail_dispatcher(office.url)
    office.answers.append("554 spam")
    airfield.cross("a")
    rounds(dispatcher)
    airfield.cross("a")
    airfield.clock.now += MINUTE
    rounds(dispatcher)

    assert airfield.statuses() == ["failed", "sent"]
    assert airfield.alerts()[0]["outcome"] == f"127.0.0.1:{office.port}: 554 spam"


def test_while_the_server_is_down_events_are_gathered_into_one_mail(airfield: Airfield) -> None:
    port = free_port()
    dispatcher = airfield.mail_dispatcher(f"smtp://127.0.0.1:{port}")
    for _ in range(20):
        airfield.cross("a")
        rounds(dispatcher)
        airfield.clock.now += LONGEST_MS
    assert airfield.statuses() == ["pending"]

    with PostOffice(port) as office:
        rounds(dispatcher)
        airfield.clock.now += MINUTE
        rounds(dispatcher)
    assert [len(each.event_ids) for each in office.received] == [1, 19]


def test_a_day_of_trying_in_vain_ends_as_failed_and_the_next_goes_on(airfield: Airfield) -> None:
    dispatcher = airfield.mail_dispatcher(f"smtp://127.0.0.1:{free_port()}")
    airfield.cross("a")
    began = airfield.clock.now
    rounds(dispatcher)
    airfield.cross("a")
    while airfield.statuses() == ["pending"]:
        airfield.clock.now += LONGEST_MS
        rounds(dispatcher)

    assert airfield.clock.now - began == pytest.approx(GIVE_UP_MS, abs=2 * LONGEST_MS)
    failed = airfield.alerts()[0]
    assert failed["status"] == "failed"
    assert failed["outcome"].startswith("given up after ")
    assert failed["outcome"].endswith("Connection refused")
    airfield.clock.now += MINUTE
    rounds(dispatcher)
    assert airfield.statuses() == ["failed", "pending"]


def test_a_day_asleep_is_no_day_of_trying(airfield: Airfield) -> None:
    dispatcher = airfield.mail_dispatcher(f"smtp://127.0.0.1:{free_port()}")
    airfield.cross("a")
    rounds(dispatcher)
    airfield.clock.now += 3 * GIVE_UP_MS
    rounds(dispatcher)

    assert airfield.statuses() == ["pending"]


def test_delays_grow_from_a_second_to_five_minutes() -> None:
    assert all(1000 <= delay(1) <= 2000 for _ in range(50))
    assert all(LONGEST_MS // 2 <= delay(10_000) <= LONGEST_MS for _ in range(50))


def test_one_refused_recipient_delays_no_other(store: Store, office: PostOffice) -> None:
    airfield = Airfield(store, [f"email:{OPS}", "email:gone@example.org"])
    office.refusals["gone@example.org"] = "450 no"
    airfield.cross("a")
    rounds(airfield.mail_dispatcher(office.url, "gone@example.org"))
    rounds(airfield.mail_dispatcher(office.url))

    assert {each["recipient"]: each["status"] for each in airfield.alerts()} == {
        "gone@example.org": "pending",
        OPS: "sent",
    }
    assert len({each["message_id"] for each in airfield.alerts()}) == 1


def test_a_mail_tells_of_one_tracker(airfield: Airfield, office: PostOffice) -> None:
    workshop = airfield.workshop
    workshop.catalog.create_tracker("drones")
    workshop.catalog.link("drones", "default")
    workshop.tracker.ingest([workshop.fix("d", 0, 8.55, 47.45)], "drones")
    workshop.tracker.evaluate_due()
    airfield.cross_all(["a", "b"])
    dispatcher = airfield.mail_dispatcher(office.url)
    rounds(dispatcher)
    airfield.clock.now += MINUTE
    rounds(dispatcher)

    assert [each.mail["subject"].split()[0] for each in office.received] == ["d", "2"]
    assert "&tracker=drones" in office.received[0].text


def test_each_change_of_an_alert_has_a_new_number(airfield: Airfield, office: PostOffice) -> None:
    dispatcher = airfield.mail_dispatcher(office.url, interval=0)
    numbers = []
    for answer in ["451 later", "554 no", "451 later"]:
        office.answers.append(answer)
        airfield.cross("a")
        airfield.clock.now += LONGEST_MS
        rounds(dispatcher)
        numbers.append(max(each["changed"] for each in airfield.alerts()))

    assert numbers == sorted(set(numbers))
    assert len({each["changed"] for each in airfield.alerts()}) == len(airfield.alerts())


def test_an_alert_whose_events_are_forgotten_ends_without_a_mail(
    airfield: Airfield, office: PostOffice
) -> None:
    office.answers.append("451 later")
    dispatcher = airfield.mail_dispatcher(office.url)
    airfield.cross_all(["a"])
    rounds(dispatcher)
    airfield.workshop.tracker.forget("default", "a")
    airfield.clock.now += MINUTE
    rounds(dispatcher)

    assert office.received == []
    assert "pending" not in airfield.statuses()


def test_a_name_is_the_one_that_the_geofence_had(airfield: Airfield, office: PostOffice) -> None:
    airfield.cross("a")
    airfield.workshop.catalog.delete("default", "LSZH")
    rounds(airfield.mail_dispatcher(office.url))

    assert office.received[0].mail["subject"] == "a entered Zürich Airport"


@contextmanager
def running(dispatcher: Dispatcher) -> Iterator[threading.Event]:
    stop = threading.Event()
    thread = threading.Thread(target=dispatcher.run, args=[stop], daemon=True)
    thread.start()
    try:
        yield stop
    finally:
        stop.set()
        thread.join(5)
        assert not thread.is_alive()


def wait_for(condition: threading.Event, seconds: float = 10) -> None:
    assert condition.wait(seconds)


def test_a_nudge_makes_the_mail_go_at_once_and_stopping_is_quick(
    airfield: Airfield, office: PostOffice
) -> None:
    came = threading.Event()
    office.on_mail = came.set
    dispatcher = airfield.mail_dispatcher(office.url)
    with running(dispatcher):
        airfield.cross("a")
        dispatcher.wake()
        wait_for(came)
        began = time.monotonic()
    assert time.monotonic() - began < 2


def test_a_mail_is_not_sent_twice_while_the_database_is_away(airfield: Airfield, office: PostOffice) -> None:
    """Another process holds the database while the mail is handed in, so that the outcome cannot be kept."""
    came = threading.Event()

    def hold() -> None:
        airfield.workshop.store.take_away(airfield.workshop.database)
        came.set()

    office.on_mail = hold
    airfield.cross("a")
    with running(airfield.mail_dispatcher(office.url)):
        wait_for(came)
        time.sleep(1.5)  # longer than it waits between two tries to keep the outcome
        assert airfield.statuses() == ["pending"]
        airfield.workshop.store.give_back()
        wait_until(lambda: airfield.statuses() == ["sent"], 10)
    assert airfield.statuses() == ["sent"]
    assert len(office.received) == 1


DISPATCH = """
import json, sys, threading
from service.dispatch.email_channel import EmailChannel
from service.dispatch.outbox import Dispatcher
from service.dispatch.smtp import SmtpServer
from service.metrics import Metrics
from service.timestamps import now
from tests.waiting import wait_until
from tests.stores import opened
store, url = json.loads(sys.argv[1])
channel = EmailChannel(SmtpServer.from_url(url), sender="overfly@example.org", recipient="ops@example.org",
                       interval=60_000, public_url="http://127.0.0.1:8000")
Dispatcher(opened(store), channel, now, Metrics()).run(threading.Event())
"""


def test_a_mail_sent_again_after_a_kill_is_the_same_mail(
    airfield: Airfield, office: PostOffice, repository: Path
) -> None:
    """The process is killed when the mail has been taken and before it could learn so."""
    airfield.cross_all(["a", "b"])
    argument = json.dumps([airfield.workshop.store.name, office.url])
    process = subprocess.Popen([sys.executable, "-c", DISPATCH, argument], cwd=repository)
    killed = threading.Event()

    def kill() -> None:
        process.kill()
        process.wait(10)
        killed.set()

    office.on_mail = kill
    wait_for(killed, 30)
    assert airfield.statuses() == ["pending"]
    airfield.cross("c")
    office.on_mail = lambda: None
    airfield.clock.now = airfield.alerts()[0]["created_time"] + 5000
    rounds(airfield.mail_dispatcher(office.url))

    first, again = office.received
    assert again.content == first.content
    assert first.event_ids == airfield.workshop.event_ids()[:2]
    assert airfield.statuses() == ["sent"]
