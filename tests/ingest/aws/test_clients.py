"""Clients of AWS, as far as they need no server: regions, and what cannot be."""

import pytest

from ingest.aws.clients import AssumedRole, AwsClientError, client, is_fifo, queue_client, region_of_queue


@pytest.mark.parametrize(
    ("url", "region"),
    [
        ("https://sqs.eu-central-1.amazonaws.com/222222222222/positions", "eu-central-1"),
        ("https://sqs.us-gov-west-1.amazonaws.com/222222222222/positions", "us-gov-west-1"),
        ("https://sqs-fips.us-east-2.amazonaws.com/222222222222/positions", "us-east-2"),
        ("https://sqs.cn-north-1.amazonaws.com.cn/222222222222/positions", "cn-north-1"),
        ("https://vpce-1-2.sqs.ap-southeast-2.vpce.amazonaws.com/222222222222/p", "ap-southeast-2"),
        ("https://eu-west-1.queue.amazonaws.com/222222222222/positions", "eu-west-1"),
        ("http://127.0.0.1:4566/222222222222/positions", None),
        ("http://localhost:4566/222222222222/sqs.eu-central-1.amazonaws.com/", None),
    ],
)
def test_a_queue_url_names_its_region(url: str, region: str | None) -> None:
    assert region_of_queue(url) == region


def test_a_queue_is_fifo_by_its_name() -> None:
    assert is_fifo("https://sqs.eu-central-1.amazonaws.com/222222222222/positions.fifo")
    assert not is_fifo("https://sqs.eu-central-1.amazonaws.com/222222222222/fifo")


def test_a_queue_is_asked_in_the_region_of_its_url(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")

    made = queue_client("https://sqs.eu-central-1.amazonaws.com/222222222222/positions")

    assert made.meta.region_name == "eu-central-1"


def test_aws_region_is_heard_as_other_clients_hear_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", "eu-west-3")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")

    assert client("sts").meta.region_name == "eu-west-3"


def test_a_client_without_a_region_is_refused_and_says_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    for name in ("AWS_DEFAULT_REGION", "AWS_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", f"{tmp_path}/none")

    with pytest.raises(AwsClientError, match="no client for sqs can be made: You must specify a region"):
        client("sqs")


def test_an_external_id_is_not_shown() -> None:
    assert "geheim" not in repr(AssumedRole("arn:aws:iam::222222222222:role/bridge", "geheim"))


@pytest.mark.parametrize("password", ["hunter2", "hun/ter2", "hun@ter2"])
def test_an_endpoint_with_a_password_is_refused_without_repeating_it(password: str) -> None:
    endpoint = f"https://user:{password}@127.0.0.1:1"

    with pytest.raises(AwsClientError, match="has a user or password in it") as refused:
        client("iot-data", region="eu-central-1", endpoint=endpoint)

    assert "ter2" not in str(refused.value)


def test_an_endpoint_of_the_environment_with_a_password_is_refused_by_its_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_SQS", "https://user:hunter2@127.0.0.1:1")

    with pytest.raises(AwsClientError, match=r"AWS_ENDPOINT_URL \(or _SQS\)") as refused:
        client("sqs", region="eu-central-1")

    assert "hunter2" not in str(refused.value)


def test_what_boto_says_of_an_endpoint_is_told_without_its_password() -> None:
    with pytest.raises(AwsClientError, match="Invalid endpoint") as refused:
        client("sqs", region="eu-central-1", endpoint="http://user:hunter2@...")

    assert "hunter2" not in str(refused.value)
