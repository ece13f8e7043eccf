"""infra/mosquitto.conf: Mosquitto takes it, and it does what it says."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest.mqtt.publisher import PublicationRefused
from ingest.mqtt.source import MqttSource
from tests.brokers import Certificates, Mosquitto
from tests.ingest.mqtt.traffic import TOPICS, endpoint_of, numbered, payloads, publish, received, subscribed

INFRA = Path(__file__).parents[2] / "infra"
USERS = {"overfly": "tracker's", "4ca7b3": "its own", "4ca7b4": "another's"}


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    """The shipped configuration with this machine's paths and port."""
    mosquitto = Mosquitto(tmp_path, certificates=Certificates.make(tmp_path / "certificates"), users=USERS)
    assert mosquitto.certificates
    replacements = {
        "listener 8883": f"listener {mosquitto.port} 127.0.0.1",
        "/var/lib/mosquitto/": f"{tmp_path}/store/",
        "/etc/mosquitto/overfly/passwords": str(mosquitto.password_file()),
        "/etc/mosquitto/overfly/mosquitto.acl": str(INFRA / "mosquitto.acl"),
        "/etc/mosquitto/overfly/ca.pem": str(mosquitto.certificates.ca),
        "/etc/mosquitto/overfly/server.pem": str(mosquitto.certificates.server),
        "/etc/mosquitto/overfly/server_key.pem": str(mosquitto.certificates.server_key),
    }
    text = (INFRA / "mosquitto.conf").read_text()
    for shipped, here in replacements.items():
        assert text.count(shipped) == 1, shipped
        text = text.replace(shipped, here)
    mosquitto.configuration = f"user root\n{text}"
    with mosquitto:
        yield mosquitto


def test_device_is_bound_to_its_topic(broker: Mosquitto) -> None:
    device = endpoint_of(broker, client_id="", username="4ca7b3", password="its own")
    publish(device, [b"mine"], "aircraft/4ca7b3/position")
    with pytest.raises(PublicationRefused, match="not authorized"):
        publish(device, [b"not mine"], "aircraft/4ca7b4/position")


def test_everything_is_kept_for_a_tracker_that_is_away_over_a_restart(broker: Mosquitto) -> None:
    tracker = endpoint_of(broker, username="overfly", password="tracker's")
    subscribed(MqttSource(tracker, TOPICS)).close()
    device = endpoint_of(broker, client_id="", username="4ca7b3", password="its own")
    publish(device, numbered(3000), "aircraft/4ca7b3/position")
    broker.restart()
    source = MqttSource(tracker, TOPICS)
    assert payloads(received(source, 3000)) == numbered(3000)
    assert source.session_present
    source.close()
