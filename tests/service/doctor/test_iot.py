"""What the doctor says of AWS IoT, at the stand-in with IAM enforced and at a server of our own."""

from collections.abc import Iterator

import pytest

from ingest.republishing.iot_destination import iot_client
from service.doctor.finding import Finding
from service.doctor.iot import iot_finding
from tests.brokers import free_port
from tests.infra.rights import user_without_rights
from tests.iot_data import IotData
from tests.stand_in import DESTINATION, StandIn


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    with StandIn(tmp_path_factory.mktemp("aws"), enforce_iam=True) as stand_in:
        yield stand_in


def at(endpoint: str | None) -> Finding:
    return iot_finding(lambda: iot_client(endpoint))


def test_an_endpoint_that_answers_is_well_and_nothing_is_published(
    aws: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_all(monkeypatch, aws.environment(DESTINATION))
    with IotData() as iot:
        assert at(iot.url) == Finding("AWS IoT", "ok", f"{iot.url} answers")
        assert iot.got == iot.refused == []


def test_who_may_not_look_may_publish_all_the_same(aws: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    set_all(monkeypatch, {**aws.environment(DESTINATION), **user_without_rights(aws, "publisher")})
    assert at(aws.endpoint).verdict == "ok"


def test_an_endpoint_that_does_not_answer_is_a_fault_that_names_its_variable(
    aws: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_all(monkeypatch, aws.environment(DESTINATION))
    away = at(f"http://127.0.0.1:{free_port()}")
    assert (away.verdict, "mend OVERFLY_IOT_ENDPOINT" in away.detail) == ("fault", True)


def test_who_may_not_ask_for_the_endpoint_is_told_so(aws: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    set_all(monkeypatch, {**aws.environment(DESTINATION), **user_without_rights(aws, "reader")})
    unknown = at(None)
    assert (unknown.verdict, "set OVERFLY_IOT_ENDPOINT" in unknown.detail) == ("fault", True)


def set_all(monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
