"""The way of a position in the demo: the programs that it passes, started in their order.

With an AWS stand-in it leads through two accounts; without one the tracker reads the devices' broker, and
mails go out by SMTP.
"""

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from service.demo import hops
from service.demo.account_b import make_account_b
from service.demo.answers import Answers
from service.demo.broker import embedded_broker
from service.demo.deliveries import Deliveries
from service.demo.figures import MetricsPage
from service.demo.hops import Hop
from service.demo.mailbox import Mailbox
from service.demo.ports import HOST, free_port
from service.demo.process import Process, overfly
from service.demo.stand_in import DESTINATION, SOURCE, StandIn
from service.demo.stop import Stop
from service.demo.told import Post
from service.errors import CannotNow

READY_SECONDS = 60.0

MAIL_SECONDS = "20"
"""Between two mails: shorter than anybody would want them, so that the demo has some to show."""

ALERT_EMAIL = "dispatcher@example.com"
PROTOCOL: Final = "3.1.1"
"""What the embedded brokers speak."""


class DemoFailed(CannotNow):
    """A part of the demo ended by itself."""


class Stopped(Exception):
    """The wish to stop came before everything ran."""


@dataclass(frozen=True, slots=True)
class Way:
    """All that runs. Devices publish to `device_url`; `told_in` is where what people are told is kept."""

    device_url: str
    api: Answers
    api_url: str
    post: Post
    told_in: Path
    hops: Sequence[Hop]
    processes: Sequence[Process]
    aws_url: str | None = None

    def check(self) -> None:
        """Raises DemoFailed where a program has ended."""
        for process in self.processes:
            _check(process)


class Builder:
    """Starts what the way needs, on `stack`, which ends it, and says what it starts.

    Every wait ends with Stopped where `stop` is wanted, with DemoFailed where it was in vain.
    """

    def __init__(
        self,
        folder: Path,
        port: int,
        mqtt_port: int,
        stack: ExitStack,
        stop: Stop,
        say: Callable[[str], None],
    ) -> None:
        self._folder, self._port = folder, port
        self._stack, self._stop, self._say = stack, stop, say
        self._processes: list[Process] = []
        self._api_url = f"http://{HOST}:{port}"
        self._page = MetricsPage(f"{self._api_url}/metrics")
        self._api = Answers(self._api_url)
        self._device_url = stack.enter_context(embedded_broker(mqtt_port))

    def short_way(self) -> Way:
        """The tracker at the devices' broker."""
        mails = self._folder / "mail"
        mailbox = self._stack.enter_context(Mailbox(mails, free_port()))
        self._serve(
            self._device_url,
            {
                "OVERFLY_SMTP_URL": mailbox.url,
                "OVERFLY_ALERT_EMAIL": ALERT_EMAIL,
                "OVERFLY_ALERT_INTERVAL": MAIL_SECONDS,
            },
        )
        self._await(self._processes[-1], self._api.is_ready)
        shown = [
            hops.tracker(self._api, self._page, ""),
            hops.events(self._page),
            hops.mail(mailbox),
        ]
        return self._way(mailbox, mails, shown, None)

    def long_way(self, program: Path, geofence_ids: Sequence[str]) -> Way:
        """Through both accounts of the stand-in that `program` starts; people hear of these geofences."""
        self._say("  the stand-in, for all of AWS ...")
        aws = self._stack.enter_context(StandIn(program, self._folder))
        self._processes.append(aws.process)
        self._await(aws.process, aws.is_ready)
        self._say("  account B's queue, bus, rules and topic ...")
        account_b = make_account_b(aws, geofence_ids)
        broker_url = self._stack.enter_context(embedded_broker(free_port()))
        self._say("  overfly serve and overfly republish in account B, overfly bridge in account A ...")
        of_account_b = aws.variables(DESTINATION)
        queue = {"OVERFLY_QUEUE_URL": account_b.queue_url}
        serve = self._serve(broker_url, {**of_account_b, "OVERFLY_EVENT_BUS": account_b.bus})
        destination = {"OVERFLY_MQTT_URL": broker_url, "OVERFLY_MQTT_PROTOCOL": PROTOCOL}
        republish, republish_page = self._hop("republish", {**of_account_b, **queue, **destination})
        source = {"OVERFLY_SOURCE_MQTT_URL": self._device_url, "OVERFLY_SOURCE_MQTT_PROTOCOL": PROTOCOL}
        bridge, bridge_page = self._hop("bridge", {**aws.variables(SOURCE), **queue, **source})
        self._await(serve, self._api.is_ready)
        self._await(republish, lambda: republish_page.is_there("overfly_republish_connected"))
        self._await(bridge, lambda: bridge_page.is_there("overfly_bridge_connected"))
        deliveries = Deliveries(aws.deliveries)
        shown = [
            hops.devices_broker(bridge_page, self._device_url),
            hops.bridge(bridge_page),
            hops.queue(aws.client("sqs"), account_b.queue_url),
            hops.republish(republish_page),
            hops.trackers_broker(republish_page),
            hops.tracker(self._api, self._page, hops.ACCOUNT_B),
            hops.bus(self._page, account_b.bus),
            hops.sns(deliveries),
        ]
        return self._way(deliveries, aws.deliveries, shown, aws.url)

    def _way(self, post: Post, told_in: Path, shown: Sequence[Hop], aws_url: str | None) -> Way:
        return Way(self._device_url, self._api, self._api_url, post, told_in, shown, self._processes, aws_url)

    def _serve(self, broker_url: str, variables: dict[str, str]) -> Process:
        settings = {
            "OVERFLY_DATA_DIR": str(self._folder / "data"),
            "OVERFLY_MQTT_URL": broker_url,
            "OVERFLY_MQTT_PROTOCOL": PROTOCOL,
        }
        return self._start(overfly("serve", self._folder, settings | variables, "--port", str(self._port)))

    def _hop(self, command: str, variables: dict[str, str]) -> tuple[Process, MetricsPage]:
        port = free_port()
        process = self._start(
            overfly(command, self._folder, {**variables, "OVERFLY_METRICS_PORT": str(port)})
        )
        return process, MetricsPage(f"http://{HOST}:{port}/metrics")

    def _start(self, process: Process) -> Process:
        self._stack.enter_context(process)
        self._processes.append(process)
        return process

    def _await(self, process: Process, ready: Callable[[], bool]) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while not ready():
            if not self._stop.rest(0.1):
                raise Stopped
            _check(process)
            if time.monotonic() > deadline:
                raise DemoFailed(f"{process.name} is not ready after {READY_SECONDS:.0f} s; {_log(process)}")


def _check(process: Process) -> None:
    if process.exit_status is not None:
        raise DemoFailed(f"{process.name} ended by itself (status {process.exit_status}); {_log(process)}")


def _log(process: Process) -> str:
    return f"the end of its log, {process.log}:\n{process.last_words()}"
