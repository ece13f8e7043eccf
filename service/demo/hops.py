"""What each hop of the way says of itself, in the order in which positions pass them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from service.demo.answers import Answers
from service.demo.figures import MetricsPage
from service.demo.told import Post

ACCOUNT_A = "account A"
ACCOUNT_B = "account B"
REPUBLISHED = "overfly/positions/<shard>"


@dataclass(frozen=True, slots=True)
class Reading:
    """`done`: how many `unit` have passed so far, None where they only wait; `waiting`: held there now."""

    done: int | None
    unit: str
    waiting: int | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Hop:
    """`account` is "" where there is but one place. `read` raises httpx.HTTPError."""

    name: str
    account: str
    read: Callable[[], Reading]


def devices_broker(page: MetricsPage, url: str) -> Hop:
    """The broker where devices publish, by what the bridge has received of it."""

    def read() -> Reading:
        return Reading(page.read().total("overfly_bridge_received_total"), "messages", note=url)

    return Hop("broker", ACCOUNT_A, read)


def bridge(page: MetricsPage) -> Hop:
    def read() -> Reading:
        figures = page.read()
        requests = figures.total("overfly_bridge_requests_total")
        return Reading(
            done=figures.total("overfly_bridge_sent_total"),
            unit="messages",
            waiting=figures.total("overfly_bridge_waiting"),
            note=f"in {counted(requests, 'request')} to SQS",
        )

    return Hop("bridge", ACCOUNT_A, read)


def queue(sqs: Any, url: str) -> Hop:
    """The queue itself; `sqs` is a boto3 client."""
    waiting, in_flight = "ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"

    def read() -> Reading:
        answer = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[waiting, in_flight])["Attributes"]
        return Reading(None, "", int(answer[waiting]), f"{int(answer[in_flight]):,} in flight")

    return Hop("SQS", ACCOUNT_B, read)


def republish(page: MetricsPage) -> Hop:
    def read() -> Reading:
        figures = page.read()
        received = figures.total("overfly_republish_received_total")
        return Reading(
            done=figures.total("overfly_republish_positions_total"),
            unit="positions",
            waiting=figures.total("overfly_republish_waiting"),
            note=f"from {counted(received, 'SQS message')}",
        )

    return Hop("republish", ACCOUNT_B, read)


def trackers_broker(page: MetricsPage) -> Hop:
    """The broker where the tracker subscribes, by what it has acknowledged to `republish`."""

    def read() -> Reading:
        return Reading(page.read().total("overfly_republish_sent_total"), "messages", note=REPUBLISHED)

    return Hop("broker", ACCOUNT_B, read)


def tracker(api: Answers, page: MetricsPage, account: str) -> Hop:
    def read() -> Reading:
        figures = page.read()
        refused = figures.total("overfly_rejects_total")
        return Reading(
            done=figures.total("overfly_positions_total"),
            unit="positions",
            note=f"{counted(api.device_count(), 'device')}, {refused:,} refused",
        )

    return Hop("tracker", account, read)


def events(page: MetricsPage) -> Hop:
    """What the tracker has found."""

    def read() -> Reading:
        return Reading(page.read().total("overfly_events_total"), "events")

    return Hop("geofences", "", read)


def bus(page: MetricsPage, name: str) -> Hop:
    def read() -> Reading:
        figures = page.read()
        put = figures.total("overfly_deliveries_total", channel="eventbridge", outcome="sent")
        return Reading(
            done=put,
            unit="events",
            waiting=max(0, figures.total("overfly_events_total") - put),
            note=f"bus {name}",
        )

    return Hop("EventBridge", ACCOUNT_B, read)


def mail(post: Post) -> Hop:
    return Hop("mail", "", lambda: Reading(post.mails, "mails"))


def sns(post: Post) -> Hop:
    """Where mails and text messages leave account B."""

    def read() -> Reading:
        note = f"{counted(post.mails, 'mail')}, {counted(post.text_messages, 'text')}"
        return Reading(post.mails + post.text_messages, "messages", note=note)

    return Hop("SNS", ACCOUNT_B, read)


def counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
