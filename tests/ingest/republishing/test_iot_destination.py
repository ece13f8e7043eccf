"""AWS IoT Core as a destination: what its threads do when something unforeseen happens."""

from typing import Any

import pytest

from ingest.republishing.iot_destination import IotDestination


def nameless() -> Any:
    """As of an answer of AWS that has no endpoint in it."""
    return {}["endpointAddress"]


def test_what_a_request_dies_of_is_raised_to_who_waits_for_its_answer() -> None:
    destination = IotDestination(nameless)
    destination.publish(1, "overfly/positions/0", b"[]")

    with pytest.raises(KeyError, match="endpointAddress"):
        destination.turn(5.0)

    destination.close()
