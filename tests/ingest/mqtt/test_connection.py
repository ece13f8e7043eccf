"""The description of a broker."""

from pathlib import Path
from typing import Any

import pytest

from ingest.mqtt.connection import EndpointError, MqttEndpoint
from tests.brokers import Certificates


def test_user_and_password_of_a_url_are_taken_out_of_it_and_never_shown() -> None:
    endpoint = MqttEndpoint("mqtts://tracker:s%C3%A9cret%40@broker.example.com")
    assert endpoint.url == "mqtts://broker.example.com:8883"
    assert (endpoint.username, endpoint.password) == ("tracker", "sécret@")
    assert "cret" not in repr(endpoint) + str(endpoint)


def test_fields_win_over_the_url() -> None:
    endpoint = MqttEndpoint("mqtt://other:secret@localhost", username="tracker", password="mine")
    assert (endpoint.username, endpoint.password) == ("tracker", "mine")
    assert (endpoint.host, endpoint.port) == ("localhost", 1883)


def test_ipv6_address_keeps_its_brackets() -> None:
    endpoint = MqttEndpoint("mqtt://[::1]:1884")
    assert (endpoint.url, endpoint.host, endpoint.port) == ("mqtt://[::1]:1884", "::1", 1884)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"url": "http://broker"}, "mqtt://host:1883 or mqtts://"),
        ({"url": "broker:1883"}, "mqtt://host:1883 or mqtts://"),
        ({"url": "mqtt://"}, "mqtt://host:1883 or mqtts://"),
        ({"url": "mqtt://host/path"}, "mqtt://host:1883 or mqtts://"),
        ({"url": "mqtt://host:0"}, "mqtt://host:1883 or mqtts://"),
        ({"url": "mqtt://u:s3cret@host:port"}, "host or port"),
        ({"url": "mqtt://u:s3cret@host:99999"}, "host or port"),
        ({"url": "mqtt://u:s3cret@" + "a" * 70}, "host or port"),
        ({"url": "mqtt://host", "protocol": "3.1"}, "3.1 is not spoken"),
        ({"url": "mqtt://host", "password": "s3cret"}, "needs a user name"),
        ({"url": "mqtt://host", "ca_file": Path("ca.pem")}, "need an mqtts:// URL"),
        ({"url": "mqtts://host", "key_file": Path("key.pem")}, "needs its certificate"),
    ],
)
def test_endpoint_that_cannot_be_is_refused_with_what_would_be_right(
    settings: dict[str, Any], said: str
) -> None:
    with pytest.raises(EndpointError, match=said) as refusal:
        MqttEndpoint(**settings)
    assert "s3cret" not in str(refusal.value)
    assert refusal.value.__cause__ is None


def test_certificates_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    certificates = Certificates.make(tmp_path)
    missing = tmp_path / "missing.pem"
    for settings in (
        {"ca_file": missing},
        {"cert_file": missing},
        {"cert_file": certificates.client, "key_file": missing},
        {"cert_file": certificates.client, "key_file": certificates.server_key},
        {"ca_file": certificates.client_key},
    ):
        with pytest.raises(EndpointError, match="cannot be read"):
            MqttEndpoint("mqtts://host", **settings).client(persistent=False)


def test_persistent_session_needs_a_client_id() -> None:
    with pytest.raises(EndpointError, match="fixed client id"):
        MqttEndpoint("mqtt://host").client(persistent=True)
