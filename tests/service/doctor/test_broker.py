"""What the doctor says of a broker, at real ones."""

from pathlib import Path

from ingest.mqtt.connection import MqttEndpoint
from service.doctor.broker import broker_findings
from service.doctor.finding import Finding
from tests.brokers import Mosquitto, free_port

TOPICS = ("aircraft/+/position",)


def verdicts(findings: list[Finding]) -> dict[str, str]:
    return {each.subject: each.verdict for each in findings}


def test_at_a_broker_with_the_settings_that_we_ship_all_is_well(tmp_path: Path) -> None:
    with Mosquitto(tmp_path) as broker:
        found = list(broker_findings(MqttEndpoint(broker.url), TOPICS))

    assert verdicts(found) == {"broker": "ok", "broker's subscription": "ok", "broker's queue": "ok"}


def test_a_broker_that_drops_what_an_absent_subscriber_misses_is_a_warning(tmp_path: Path) -> None:
    with Mosquitto(tmp_path, options={"max_queued_messages": 1000}) as broker:
        found = list(broker_findings(MqttEndpoint(broker.url, "3.1.1"), TOPICS))

    assert verdicts(found)["broker's queue"] == "warning"
    assert verdicts(found)["broker's MQTT version"] == "warning"
    assert "max_queued_messages 0" in found[-1].detail


def test_a_broker_that_is_not_there_or_lets_us_not_in_is_a_fault_told_without_the_password(
    tmp_path: Path,
) -> None:
    (away,) = broker_findings(MqttEndpoint(f"mqtt://127.0.0.1:{free_port()}"), TOPICS)
    with Mosquitto(tmp_path, users={"tracker": "right"}) as broker:
        endpoint = MqttEndpoint(broker.url, username="tracker", password="wrongest")
        (shut,) = broker_findings(endpoint, TOPICS)

    assert away.verdict == shut.verdict == "fault"
    assert "refused" in away.detail
    assert "wrongest" not in shut.detail


def test_which_broker_is_said_and_by_which_settings_it_is_mended(tmp_path: Path) -> None:
    named = ("source broker", "OVERFLY_SOURCE_MQTT")
    (away,) = broker_findings(MqttEndpoint(f"mqtt://127.0.0.1:{free_port()}"), TOPICS, *named)
    with Mosquitto(tmp_path) as broker:
        found = list(broker_findings(MqttEndpoint(broker.url, "3.1.1"), TOPICS, *named))

    assert "mend OVERFLY_SOURCE_MQTT_*" in away.detail
    assert [each.subject for each in found] == [
        "source broker",
        "source broker's subscription",
        "source broker's MQTT version",
        "source broker's queue",
    ]
    assert "OVERFLY_SOURCE_MQTT_PROTOCOL=5" in found[2].detail
