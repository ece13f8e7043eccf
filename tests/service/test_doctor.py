"""The doctor, at real brokers and mail servers."""

from pathlib import Path

from ingest.mqtt.connection import MqttEndpoint
from service.dispatch.smtp import SmtpServer
from service.doctor import Finding, broker_findings, database_finding, folder_findings, mail_finding
from service.store.database import open_sqlite
from service.store.folder import hold
from service.store.migration import prepare
from tests.brokers import Mosquitto, free_port
from tests.mailboxes import Mailbox

TOPICS = ("aircraft/+/position",)


def verdicts(findings: list[Finding]) -> dict[str, str]:
    return {each.subject: each.verdict for each in findings}


def test_at_a_broker_with_the_settings_that_we_ship_all_is_well(tmp_path: Path) -> None:
    with Mosquitto(tmp_path) as broker:
        found = list(broker_findings(MqttEndpoint(broker.url), TOPICS))

    assert verdicts(found) == {"broker": "ok", "subscription": "ok", "broker's queue": "ok"}


def test_a_broker_that_drops_what_an_absent_subscriber_misses_is_a_warning(tmp_path: Path) -> None:
    with Mosquitto(tmp_path, options={"max_queued_messages": 1000}) as broker:
        found = list(broker_findings(MqttEndpoint(broker.url, "3.1.1"), TOPICS))

    assert verdicts(found)["broker's queue"] == "warning"
    assert verdicts(found)["MQTT version"] == "warning"
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


def test_mail_server_is_tried_without_handing_in_a_mail() -> None:
    with Mailbox() as mailbox:
        assert mail_finding(SmtpServer.from_url(mailbox.url)).verdict == "ok"
        assert mailbox.mails == []
    assert mail_finding(SmtpServer.from_url(mailbox.url)).verdict == "fault"


def test_the_folder_is_looked_at_and_not_made(tmp_path: Path) -> None:
    data = tmp_path / "data"
    (finding,) = folder_findings(data)
    assert "does not exist yet" in finding.detail
    assert not data.exists()

    database = open_sqlite(data)
    assert "empty" in database_finding(database).detail
    prepare(database)
    assert "schema 0002" in database_finding(database).detail
    with hold(data, "serve"):
        assert "held by overfly serve" in next(iter(folder_findings(data))).detail
