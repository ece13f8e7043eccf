"""What the doctor says of settings of `bridge` and `republish`, and that it looks at what they point to."""

from pathlib import Path
from typing import Any

import pytest

from service.bootstrap import start_faults
from service.cli.doctor import _findings, _untold_findings
from service.settings import Settings
from tests.brokers import Mosquitto, free_port
from tests.iot_data import IotData
from tests.queues import Queue
from tests.stand_in import DESTINATION, StandIn

POSTGRES = "postgresql+psycopg://overfly:secret@/overfly"
AWAY = "mqtt://127.0.0.1:1"
QUEUE = "https://sqs.eu-central-1.amazonaws.com/222222222222/q"


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"mqtt_url": AWAY, "queue_url": "nonsense"}, "OVERFLY_QUEUE_URL is no queue's URL"),
        (
            {"mqtt_url": AWAY, "queue_url": QUEUE, "queue_external_id": "secret"},
            "OVERFLY_QUEUE_EXTERNAL_ID needs a role: set OVERFLY_QUEUE_ROLE_ARN too",
        ),
        ({"queue_url": QUEUE, "source_mqtt_url": "http://x"}, "OVERFLY_SOURCE_MQTT_*: an MQTT URL is"),
        (
            {"queue_url": QUEUE, "source_mqtt_url": "mqtts://x", "source_mqtt_ca_file": "/no/ca.pem"},
            "OVERFLY_SOURCE_MQTT_*: the certificate authority /no/ca.pem cannot be read",
        ),
        ({"source_mqtt_url": AWAY}, "OVERFLY_SOURCE_MQTT_URL needs a queue to fill: set OVERFLY_QUEUE_URL"),
        ({"queue_url": QUEUE, "dead_letter_queue_url": "foo"}, "OVERFLY_DEAD_LETTER_QUEUE_URL is no queue's"),
        ({"queue_url": QUEUE, "republish_to": "mqtt"}, "needs a broker: set OVERFLY_MQTT_URL"),
        (
            {"database_read_url": POSTGRES},
            "OVERFLY_DATABASE_READ_URL needs the database that it is a replica",
        ),
        ({"database_url": "postgresql://u:secret@h/o"}, "OVERFLY_DATABASE_URL: postgresql:// is not served"),
        (
            {"database_url": POSTGRES, "database_read_url": "mysql://u:secret@h/o"},
            "OVERFLY_DATABASE_READ_URL: mysql:// is not served, expected postgresql+psycopg://",
        ),
        (
            {"database_url": POSTGRES, "database_read_url": "secret"},
            "OVERFLY_DATABASE_READ_URL: not a URL, expected postgresql+psycopg://",
        ),
        (
            {"database_url": POSTGRES, "database_read_url": f"{POSTGRES}?host=one:5432&host=two:5432"},
            "OVERFLY_DATABASE_READ_URL names several servers",
        ),
        ({"queue_url": QUEUE, "iot_endpoint": "nonsense"}, "OVERFLY_IOT_ENDPOINT, AWS_*: no client for"),
    ],
)
def test_what_a_hop_would_refuse_is_a_fault_of_the_settings(
    settings: dict[str, Any], sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    (fault,) = start_faults(Settings(**settings))

    assert sentence in fault
    assert "secret" not in fault


def test_each_wrong_setting_is_told_once_and_none_is_passed_over(tmp_path: Path) -> None:
    settings = Settings(
        data_dir=tmp_path / "data",
        mqtt_url=f"mqtt://127.0.0.1:{free_port()}",
        queue_url="nonsense",
        queue_external_id="secret",
        source_mqtt_url="http://x",
        dead_letter_queue_url="foo",
    )
    found = [each for each in _findings(settings) if each.subject == "settings"]

    assert {each.verdict for each in found} == {"fault"}
    assert [each.detail.split(" ")[0] for each in found] == [
        "OVERFLY_QUEUE_URL",
        "OVERFLY_QUEUE_EXTERNAL_ID",
        "OVERFLY_DEAD_LETTER_QUEUE_URL",
        "OVERFLY_SOURCE_MQTT_*:",
    ]


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"queue_url": QUEUE}, False),
        ({"mqtt_url": AWAY}, False),
        ({"queue_url": QUEUE, "event_bus": "overfly"}, True),
        ({"queue_url": QUEUE, "sns_topic_arn": "arn:aws:sns:eu-central-1:222222222222:overfly"}, True),
        ({"queue_url": QUEUE, "source_mqtt_url": AWAY}, True),  # a bridge makes no events
        ({"queue_url": QUEUE, "iot_endpoint": "https://127.0.0.1:1"}, True),  # nor does republish
        ({}, True),
    ],
)
def test_a_warning_that_nobody_is_told_comes_only_where_events_are_made_and_nobody_is(
    settings: dict[str, Any], told: bool
) -> None:
    found = list(_untold_findings(Settings(**settings)))
    assert [each.verdict for each in found] == ([] if told else ["warning"])


def test_a_tracker_at_a_standard_queue_has_one_line_about_its_window_and_none_about_aws_iot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with StandIn(tmp_path / "aws") as aws:
        for name, value in aws.environment(DESTINATION).items():
            monkeypatch.setenv(name, value)
        queue = Queue.make(aws, fifo=False, visibility=30)
        settings = Settings(data_dir=tmp_path / "data", queue_url=queue.url)
        found = [(each.subject, each.verdict) for each in _findings(settings)]

    assert [verdict for subject, verdict in found if subject == "reorder window"] == ["warning"]
    assert not {"AWS IoT", "mail server"} & {subject for subject, _ in found}


def test_all_that_is_set_for_the_way_is_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        StandIn(tmp_path / "aws") as aws,
        Mosquitto(tmp_path / "source") as source,
        Mosquitto(tmp_path / "broker") as broker,
        IotData() as iot,
    ):
        for name, value in aws.environment(DESTINATION).items():
            monkeypatch.setenv(name, value)
        settings = Settings(
            data_dir=tmp_path / "data",
            mqtt_url=broker.url,
            source_mqtt_url=source.url,
            queue_url=Queue.make(aws).url,
            dead_letter_queue_url=Queue.make(aws).url,
            iot_endpoint=iot.url,
        )
        found = {each.subject: each.verdict for each in _findings(settings)}

    for subject in ("settings", "source broker", "broker", "queue", "dead-letter queue", "AWS IoT"):
        assert found[subject] == "ok"
    assert list(found).index("source broker's queue") < list(found).index("broker")
