"""What the doctor says of bus, topic and text messages, at the stand-in."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from service.cli.doctor import _findings
from service.doctor.events import bus_findings, topic_finding
from service.settings import Settings
from tests.brokers import free_port
from tests.stand_in import SOURCE, StandIn


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    with StandIn(tmp_path_factory.mktemp("stand-in")) as started:
        yield started


def verdicts(aws: StandIn, bus: str, source: str = "overfly") -> list[tuple[str, str]]:
    return [(each.subject, each.verdict) for each in bus_findings(aws.client("events"), bus, source)]


def test_a_bus_is_looked_at_with_its_rules(aws: StandIn) -> None:
    events = aws.client("events")
    assert verdicts(aws, "fleet") == [("event bus", "fault")]
    events.create_event_bus(Name="fleet")
    assert verdicts(aws, "fleet") == [("event bus", "ok"), ("bus rules", "warning")]
    events.put_rule(Name="all", EventBusName="fleet", EventPattern='{"source": ["overfly"]}')
    assert verdicts(aws, "fleet") == [("event bus", "ok"), ("bus rules", "ok")]
    assert verdicts(aws, "fleet", "aws.geo")[0] == ("event source", "fault")


def test_a_topic_is_looked_at_with_its_subscribers(aws: StandIn) -> None:
    sns = aws.client("sns")
    arn = sns.create_topic(Name="fleet")["TopicArn"]
    finding = topic_finding(sns, arn)
    assert (finding.verdict, "nobody is told" in finding.detail) == ("warning", True)
    sns.subscribe(TopicArn=arn, Protocol="sms", Endpoint="+41791234567")
    assert topic_finding(sns, arn).verdict == "ok"
    gone = topic_finding(sns, f"{arn}-that-is-not")
    assert (gone.verdict, "NotFound" in gone.detail) == ("fault", True)


def of_aws(settings: dict[str, Any]) -> list[tuple[str, str]]:
    """The doctor's findings of receivers in AWS, and of settings."""
    named = ("settings", "event bus", "SNS topic", "text messages")
    return [(each.subject, each.verdict) for each in _findings(Settings(**settings)) if each.subject in named]


def test_the_doctor_looks_at_what_is_set(
    aws: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in aws.environment(SOURCE).items():
        monkeypatch.setenv(name, value)
    aws.client("events", SOURCE).create_event_bus(Name="mine")
    topic = aws.client("sns", SOURCE).create_topic(Name="mine")["TopicArn"]
    settings = {
        "data_dir": tmp_path / "data",
        "event_bus": "mine",
        "sns_topic_arn": topic,
        "alert_sms": ("+41791234567",),
    }
    assert of_aws(settings)[:3] == [("settings", "ok"), ("event bus", "ok"), ("SNS topic", "warning")]
    assert [subject for subject, _ in of_aws(settings)][3:] == ["text messages"]


def test_what_cannot_be_is_a_fault_of_the_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in StandIn(tmp_path, port=free_port()).environment().items():
        monkeypatch.setenv(name, value)
    settings = {
        "data_dir": tmp_path / "data",
        "event_bus": "a b",
        "sns_topic_arn": "mine",
        "alert_sms": ("0791234567",),
    }
    assert of_aws(settings)[:3] == [("settings", "fault")] * 3


def test_aws_that_is_away_is_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in StandIn(tmp_path, port=free_port()).environment().items():
        monkeypatch.setenv(name, value)
    assert of_aws({"data_dir": tmp_path / "data", "event_bus": "mine"})[1:] == [("event bus", "fault")]
