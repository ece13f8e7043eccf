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
    with shipped(tmp_path, Certificates.make(tmp_path / "certificates")) as mosquitto:
        yield mosquitto


def shipped(tmp_path: Path, certificates: Certificates, *changes: tuple[str, str]) -> Mosquitto:
    """Not started; `changes` are texts of it and what is to stand there instead."""
    mosquitto = Mosquitto(tmp_path, certificates=certificates, users=USERS)
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
    for there, here in (*replacements.items(), *changes):
        assert text.count(there) == 1, there
        text = text.replace(there, here)
    mosquitto.configuration = f"user root\n{text}"
    return mosquitto


def test_device_is_bound_to_its_topic(broker: Mosquitto) -> None:
    device = endpoint_of(broker, client_id="", username="4ca7b3", password="its own")
    publish(device, [b"mine"], "aircraft/4ca7b3/position")
    with pytest.raises(PublicationRefused, match="not authorized"):
        publish(device, [b"not mine"], "aircraft/4ca7b4/position")


def test_a_certificate_binds_its_device_to_its_topic(tmp_path: Path) -> None:
    certificates = Certificates.make(tmp_path / "certificates", client_name="4ca7b3")
    by_certificate = (
        ("# require_certificate true", "require_certificate true"),
        ("# use_identity_as_username true", "use_identity_as_username true"),
    )
    with shipped(tmp_path, certificates, *by_certificate) as broker:
        device = endpoint_of(
            broker,
            client_id="",
            cert_file=certificates.client,
            key_file=certificates.client_key,
            # who it says it is counts for nothing
            username="4ca7b4",
            password="another's",
        )
        publish(device, [b"mine"], "aircraft/4ca7b3/position")
        for topic in ("aircraft/4ca7b4/position", "overfly/positions/1", "aircraft/4ca7b3/position/x"):
            with pytest.raises(PublicationRefused, match="not authorized"):
                publish(device, [b"not mine"], topic)


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
