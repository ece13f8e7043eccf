"""AWS IoT Core as a destination: what its threads do when something unforeseen happens."""

import threading
from typing import Any

import pytest

from ingest.aws.clients import AwsClientError
from ingest.republishing.destination import Outcome
from ingest.republishing.iot_destination import AT_ONCE, IotDestination
from tests.waiting import wait_until


def nameless() -> Any:
    """As of an answer of AWS that has no endpoint in it."""
    return {}["endpointAddress"]


def test_what_a_request_dies_of_is_raised_to_who_waits_for_its_answer() -> None:
    destination = IotDestination(nameless)
    destination.publish(1, "overfly/positions/0", b"[]")

    with pytest.raises(KeyError, match="endpointAddress"):
        destination.turn(5.0)

    destination.close()


class Hanging:
    """An endpoint that is asked for and hangs until it is let fail."""

    def __init__(self) -> None:
        self.asked, self.fail = 0, threading.Event()

    def __call__(self) -> Any:
        self.asked += 1
        self.fail.wait()
        raise AwsClientError("it hung")


def filled(make_client: Any) -> IotDestination:
    destination = IotDestination(make_client)
    for key in range(AT_ONCE):
        destination.publish(key, "overfly/positions/0", b"[]")
    return destination


def publishing() -> list[threading.Thread]:
    return [each for each in threading.enumerate() if each.name.startswith("iot-publish")]


def test_one_asks_for_the_endpoint_and_the_others_share_its_failure() -> None:
    hanging = Hanging()
    destination = filled(hanging)
    wait_until(destination._requests.empty, 60)
    hanging.fail.set()

    answers = destination.turn(5.0)
    while len(answers) < AT_ONCE:
        answers += destination.turn(5.0)

    assert {answer.outcome for answer in answers} == {Outcome.BUSY}
    assert hanging.asked < AT_ONCE
    destination.close()


def test_after_the_close_nobody_asks_again_and_no_thread_holds_up_the_end() -> None:
    before = set(publishing())
    hanging = Hanging()
    destination = filled(hanging)
    wait_until(lambda: hanging.asked == 1, 60)
    ours = set(publishing()) - before
    assert len(ours) == AT_ONCE
    assert all(thread.daemon for thread in ours)

    wait_until(destination._requests.empty, 60)
    destination.close()
    asked = hanging.asked
    hanging.fail.set()
    for thread in ours:
        thread.join(5.0)

    assert not any(thread.is_alive() for thread in ours)
    assert hanging.asked == asked == 1
