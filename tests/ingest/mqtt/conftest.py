"""A broker for the tests of a file, and who publishes and subscribes there."""

from collections.abc import Iterator

import pytest

from ingest.mqtt.connection import MqttEndpoint
from tests.brokers import Mosquitto
from tests.ingest.mqtt.traffic import endpoint_of


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path_factory.mktemp("broker")) as mosquitto:
        yield mosquitto


@pytest.fixture
def endpoint(broker: Mosquitto, request: pytest.FixtureRequest) -> MqttEndpoint:
    """Sessions of its own for each test."""
    return endpoint_of(broker, client_id=request.node.name.replace("[", "-").strip("]"))


@pytest.fixture
def device(broker: Mosquitto) -> MqttEndpoint:
    return endpoint_of(broker, client_id="")
