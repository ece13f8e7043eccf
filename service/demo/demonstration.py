"""The demo from start to end: the way, geofences, flights, and what they cause."""

import shutil
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from rich.console import Console

from ingest.mqtt.connection import MqttEndpoint
from service.demo.board import Board
from service.demo.crossings_shown import CrossingsShown
from service.demo.guide import guide
from service.demo.ports import free_port, why_not
from service.demo.publication import Flights, Publication
from service.demo.screen import Screen
from service.demo.stop import Stop
from service.demo.way import PROTOCOL, Builder, DemoFailed, Stopped, Way
from service.errors import SettingsError
from service.store.folder import hold

TICK = 0.5
COUNT_SECONDS = 1.0
LINES_A_TICK = 2
"""Crossings, and messages to people, that are shown each TICK; eyes cannot follow more."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to show: `flights` are published, `geofences` is a FeatureCollection, `names` by geofence id.

    `folder` keeps database, logs and mails until the next start. Ports are of the loopback interface.
    `stand_in` is the program that starts the AWS stand-in; None leaves AWS out. On the way through AWS people
    hear of those who enter `told_geofences`, of all where none is named.
    """

    folder: Path
    port: int
    mqtt_port: int
    flights: Flights
    geofences: bytes
    names: Mapping[str, str]
    stand_in: Path | None
    told_geofences: Sequence[str]


def run_demo(plan: Plan, console: Console) -> None:
    """Runs until a signal comes.

    Raises SettingsError where a port is taken or the stand-in is not there, StoreAway where the folder is,
    DemoFailed.
    """
    _check(plan)
    with Stop() as stop, hold(plan.folder, "demo", "name another with --folder"), ExitStack() as stack:
        try:
            _run(plan, console, stop, stack)
        except Stopped:
            pass
        finally:
            console.print("Stopping ...")
    console.print(
        f"Stopped, nothing is left running. Mails, logs and database are in {plan.folder}", soft_wrap=True
    )


def _check(plan: Plan) -> None:
    if plan.port == plan.mqtt_port:
        raise SettingsError(f"--port and --mqtt-port are both {plan.port}: they must differ")
    for option, port in (("--port", plan.port), ("--mqtt-port", plan.mqtt_port)):
        if reason := why_not(port):
            raise SettingsError(f"port {port} {reason}: choose another, such as {option} {free_port(port)}")


def _run(plan: Plan, console: Console, stop: Stop, stack: ExitStack) -> None:
    for old in ("data", "mail", "aws"):
        shutil.rmtree(plan.folder / old, ignore_errors=True)
    (plan.folder / "deliveries.ndjson").unlink(missing_ok=True)
    way = _started(plan, console, stop, stack)
    try:
        way.api.put_geofences(plan.geofences)
    except httpx.HTTPStatusError as error:
        raise DemoFailed(f"the geofences are refused: {error.response.text}") from error
    for line in guide(way):
        console.print(line, soft_wrap=True)
    console.print(f"{plan.flights.announcement} Ctrl-C stops everything.", soft_wrap=True)
    board = Board(way.hops)
    screen = stack.enter_context(Screen(console, plan.names, board))
    publisher = MqttEndpoint(url=way.device_url, protocol=PROTOCOL, client_id="overfly-demo-flights")
    publication = stack.enter_context(Publication(plan.flights, publisher))
    _watch(_Show(way, publication, board, screen), stop)


def _started(plan: Plan, console: Console, stop: Stop, stack: ExitStack) -> Way:
    def say(text: str) -> None:
        console.print(text, soft_wrap=True)

    if plan.stand_in is None:
        say("Starting a broker, a mailbox and `overfly serve` ...")
    else:
        say("Starting two AWS accounts of a stand-in, a broker in each, and Overfly ...")
    builder = Builder(plan.folder, plan.port, plan.mqtt_port, stack, stop, say)
    if plan.stand_in is None:
        return builder.short_way()
    return builder.long_way(plan.stand_in, plan.told_geofences)


@dataclass(frozen=True, slots=True)
class _Show:
    way: Way
    publication: Publication
    board: Board
    screen: Screen
    crossings: CrossingsShown = field(default_factory=lambda: CrossingsShown(LINES_A_TICK))


def _watch(show: _Show, stop: Stop) -> None:
    counted = 0.0
    through = False
    while stop.rest(TICK):
        show.way.check()
        try:
            _show_crossings(show)
            _show_told(show)
            if time.monotonic() - counted >= COUNT_SECONDS:
                show.board.look()
                show.screen.show_board()
                counted = time.monotonic()
        except httpx.TransportError as error:
            show.screen.say(f"A part does not answer ({error}); trying again.")
        if not through and show.publication.is_through():
            through = True
            show.screen.say("All flights are through. The API stays up; Ctrl-C stops everything.")


def _show_crossings(show: _Show) -> None:
    chosen, unshown = show.crossings.chosen(show.way.api.new_crossings())
    show.screen.show_crossings([show.way.api.with_fix(each) for each in chosen], unshown)


def _show_told(show: _Show) -> None:
    told = show.way.post.take_new()
    for each in told[:LINES_A_TICK]:
        show.screen.show_told(each)
    if len(told) > LINES_A_TICK:
        show.screen.note_unshown(len(told) - LINES_A_TICK)
