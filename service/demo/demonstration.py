"""The demo from start to end: broker, mailbox, `overfly serve`, geofences, flights, and what they cause."""

import shutil
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx
from rich.console import Console

from ingest.mqtt_connection import MqttEndpoint
from service.demo.answers import Answers
from service.demo.broker import embedded_broker
from service.demo.guide import guide
from service.demo.mailbox import Mailbox
from service.demo.ports import free_port, why_not
from service.demo.publication import Flights, Publication
from service.demo.screen import Screen
from service.demo.server import Server
from service.demo.stop import Stop
from service.errors import CannotNow, SettingsError
from service.store.folder import hold

READY_SECONDS = 60.0
TICK = 0.25
COUNT_SECONDS = 2.0
LINES_A_TICK = 6
"""Crossings that are shown each TICK; eyes cannot follow more."""

MAIL_SECONDS = "20"
"""Between two mails: shorter than anybody would want them, so that the demo has some to show."""

ALERT_EMAIL = "dispatcher@example.com"


class DemoFailed(CannotNow):
    """A part of the demo ended by itself."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to show: `flights` are published, `geofences` is a FeatureCollection, `names` by geofence id.

    `folder` keeps database, log and mails until the next start. Ports are of the loopback interface.
    """

    folder: Path
    port: int
    mqtt_port: int
    flights: Flights
    geofences: bytes
    names: Mapping[str, str]


def run_demo(plan: Plan, console: Console) -> None:
    """Runs until a signal comes.

    Raises SettingsError where a port is taken, StoreAway where the folder is, DemoFailed.
    """
    _check_ports(plan)
    with Stop() as stop, hold(plan.folder, "demo", "name another with --folder"), ExitStack() as stack:
        try:
            _run(plan, console, stop, stack)
        finally:
            console.print("Stopping ...")
    console.print(
        f"Stopped, nothing is left running. Mails, log and database are in {plan.folder}", soft_wrap=True
    )


def _check_ports(plan: Plan) -> None:
    if plan.port == plan.mqtt_port:
        raise SettingsError(f"--port and --mqtt-port are both {plan.port}: they must differ")
    for option, port in (("--port", plan.port), ("--mqtt-port", plan.mqtt_port)):
        if reason := why_not(port):
            raise SettingsError(f"port {port} {reason}: choose another, such as {option} {free_port(port)}")


def _run(plan: Plan, console: Console, stop: Stop, stack: ExitStack) -> None:
    data, mails = plan.folder / "data", plan.folder / "mail"
    for old in (data, mails):
        shutil.rmtree(old, ignore_errors=True)
    console.print("Starting a broker, a mailbox and `overfly serve` ...")
    mqtt_url = stack.enter_context(embedded_broker(plan.mqtt_port))
    mailbox = stack.enter_context(Mailbox(mails, free_port()))
    settings = {
        "OVERFLY_DATA_DIR": str(data),
        "OVERFLY_MQTT_URL": mqtt_url,
        "OVERFLY_MQTT_PROTOCOL": "3.1.1",
        "OVERFLY_SMTP_URL": mailbox.url,
        "OVERFLY_ALERT_EMAIL": ALERT_EMAIL,
        "OVERFLY_ALERT_INTERVAL": MAIL_SECONDS,
    }
    server = stack.enter_context(Server(plan.folder, plan.port, settings))
    api_url = f"http://127.0.0.1:{plan.port}"
    answers = Answers(api_url)
    _await_ready(answers, server, stop)
    if stop.wanted:
        return
    try:
        answers.put_geofences(plan.geofences)
    except httpx.HTTPStatusError as error:
        raise DemoFailed(f"the geofences are refused: {error.response.text}") from error
    for line in guide(api_url, plan.mqtt_port, mails):
        console.print(line, soft_wrap=True)
    console.print(f"{plan.flights.announcement} Ctrl-C stops everything.", soft_wrap=True)
    screen = stack.enter_context(Screen(console, plan.names))
    publisher = MqttEndpoint(url=mqtt_url, protocol="3.1.1", client_id="overfly-demo-flights")
    publication = stack.enter_context(Publication(plan.flights, publisher))
    _watch(_Show(answers, server, mailbox, publication, screen), stop)


def _await_ready(answers: Answers, server: Server, stop: Stop) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while not answers.is_ready() and stop.rest(0.1):
        if server.exit_status is not None:
            raise _ended(server)
        if time.monotonic() > deadline:
            raise DemoFailed(f"overfly serve is not ready after {READY_SECONDS:.0f} s; {_log(server)}")


@dataclass(frozen=True, slots=True)
class _Show:
    answers: Answers
    server: Server
    mailbox: Mailbox
    publication: Publication
    screen: Screen


def _watch(show: _Show, stop: Stop) -> None:
    counted = 0.0
    through = False
    while stop.rest(TICK):
        if show.server.exit_status is not None:
            raise _ended(show.server)
        try:
            _show_crossings(show)
            if time.monotonic() - counted >= COUNT_SECONDS:
                show.screen.show_counters(show.answers.counters(), show.mailbox.count)
                counted = time.monotonic()
        except httpx.TransportError as error:
            show.screen.say(f"The API does not answer ({error}); trying again.")
        for mail in show.mailbox.take_new():
            show.screen.show_mail(mail)
        if not through and show.publication.is_through():
            through = True
            show.screen.say("All flights are through. The API stays up; Ctrl-C stops everything.")


def _show_crossings(show: _Show) -> None:
    crossings = show.answers.new_crossings()
    shown = [show.answers.with_fix(crossing) for crossing in crossings[:LINES_A_TICK]]
    show.screen.show_crossings(shown, len(crossings) - len(shown))


def _ended(server: Server) -> DemoFailed:
    return DemoFailed(f"overfly serve ended by itself (status {server.exit_status}); {_log(server)}")


def _log(server: Server) -> str:
    return f"the end of its log, {server.log}:\n{server.last_words()}"
