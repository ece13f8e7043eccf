"""`boto3.client("iot-data")` publishes to `overfly serve` as it does to AWS IoT Core."""

import json
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import boto3
import httpx
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.services import Overfly
from tests.waiting import wait_until
from tests.wire.aws_cli import aws

START = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)
SECOND = count()


@pytest.fixture(scope="module")
def iot(served: Overfly) -> Any:
    return boto3.client(
        "iot-data",
        endpoint_url=served.url,
        region_name="eu-central-1",
        aws_access_key_id="AKIAIOSFODNN7EXAMPLE",
        aws_secret_access_key="wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        config=Config(retries={"total_max_attempts": 1}),
    )


def fix(**members: Any) -> dict[str, Any]:
    """A position of no device by name, each a second after the one before."""
    moment = START + timedelta(seconds=next(SECOND))
    return {"timestamp": moment.isoformat(), "latitude": 46.5, "longitude": 7.5, **members}


def test_the_aws_cli_publishes(served: Overfly) -> None:
    payload = json.dumps(fix(altitude=432))
    to = ("--endpoint-url", served.url, "--topic", "aircraft/by-cli/position", "--qos", "1")
    done = aws(served.url, served.folder, "iot-data", "publish", *to, "--payload", payload)
    assert done.answer == {}
    assert served.get("/v1/devices/by-cli")["properties"]["reported"] == {"altitude": 432}


def refused(iot: Any, **request: Any) -> tuple[str, str, int]:
    """Code, message and status of the error."""
    with pytest.raises(ClientError) as caught:
        iot.publish(**request)
    answer = caught.value.response
    return answer["Error"]["Code"], answer["Error"]["Message"], answer["ResponseMetadata"]["HTTPStatusCode"]


@pytest.mark.parametrize("qos", [0, 1])
def test_what_is_published_to_a_device_s_topic_is_its_position(served: Overfly, iot: Any, qos: int) -> None:
    device = f"van-{qos}"
    answer = iot.publish(topic=f"aircraft/{device}/position", qos=qos, payload=json.dumps(fix(altitude=500)))
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert served.get(f"/v1/devices/{device}")["properties"]["reported"] == {"altitude": 500}


def test_everything_else_that_the_client_can_say_changes_nothing(served: Overfly, iot: Any) -> None:
    payload = json.dumps(fix()).encode()
    iot.publish(
        topic="aircraft/van-all/position",
        qos=1,
        retain=True,
        payload=payload,
        userProperties=json.dumps([{"deviceName": "alpha"}]),
        payloadFormatIndicator="UTF8_DATA",
        contentType="application/json",
        responseTopic="answers/van-all",
        correlationData="YQ==",
        messageExpiry=60,
    )
    assert served.get("/v1/devices/van-all")["properties"]["reported"] == {}


def test_a_batch_as_a_republisher_sends_it_is_taken_item_by_item(served: Overfly, iot: Any) -> None:
    items = [fix(deviceId="batch-1"), fix(deviceId="batch-2", latitude=91), fix(deviceId="batch-1")]
    iot.publish(topic="overfly/positions/3", qos=1, payload=json.dumps(items))
    iot.publish(topic="overfly/positions/3", qos=1, payload=json.dumps(items))  # a redelivery
    assert len(served.get("/v1/devices/batch-1/positions")["items"]) == 2
    (reject, _) = served.get("/v1/rejects", device="batch-2")["items"]
    assert (reject["reason"], reject["topic"]) == ("bad_latitude", "overfly/positions/3")


def test_what_is_published_is_evaluated(served: Overfly, iot: Any) -> None:
    circle = {"type": "Point", "coordinates": [7.5, 46.5]}
    feature = {"type": "Feature", "properties": {"radius": 500}, "geometry": circle}
    httpx.put(f"{served.url}/v1/geofences/here", json=feature).raise_for_status()
    iot.publish(topic="aircraft/evaluated/position", qos=1, payload=json.dumps(fix()))

    def events() -> list[str]:
        return [each["eventType"] for each in served.items("/v1/events", device="evaluated")]

    wait_until(lambda: bool(events()), 10)
    assert events() == ["ENTER"]


def test_another_device_s_position_is_refused_and_listed(served: Overfly, iot: Any) -> None:
    payload = json.dumps(fix(deviceId="somebody"))
    code, message, status = refused(iot, topic="aircraft/me/position", qos=1, payload=payload)
    assert (code, status) == ("InvalidRequestException", 400)
    assert message.startswith('device_mismatch: deviceId "somebody": expected "me"')
    (reject,) = served.get("/v1/rejects", device="me")["items"]
    assert (reject["reason"], reject["topic"]) == ("device_mismatch", "aircraft/me/position")


@pytest.mark.parametrize(
    ("payload", "reason"),
    [(b"", "empty"), (b"{", "bad_json"), (b"\xff", "bad_encoding"), (b"7", "not_object")],
)
def test_a_payload_that_is_none_is_refused(iot: Any, payload: bytes, reason: str) -> None:
    code, message, status = refused(iot, topic="aircraft/bad/position", qos=1, payload=payload)
    assert (code, status) == ("InvalidRequestException", 400)
    assert message.startswith(f"{reason}: ")


@pytest.mark.parametrize(
    "topic", ["ships/a/position", "aircraft/a/b/position", "aircraft/a", "$SYS/a", "a b/ü"]
)
def test_a_topic_that_nothing_is_read_from_is_refused_with_those_that_are(iot: Any, topic: str) -> None:
    code, message, status = refused(iot, topic=topic, qos=1, payload=b"{}")
    assert (code, status) == ("InvalidRequestException", 400)
    assert repr(topic) in message
    assert "aircraft/+/position" in message


@pytest.mark.parametrize("topic", ["aircraft/+/position", "#", "aircraft/a\0/position"])
def test_what_no_topic_can_be_is_refused(iot: Any, topic: str) -> None:
    assert refused(iot, topic=topic, qos=1, payload=b"{}")[0] == "InvalidRequestException"


def test_a_payload_may_have_128_kibibytes(iot: Any) -> None:
    whole = json.dumps(fix()).encode().ljust(128 << 10)
    iot.publish(topic="aircraft/large/position", qos=1, payload=whole)
    code, message, status = refused(iot, topic="aircraft/large/position", qos=1, payload=whole + b" ")
    assert (code, status) == ("RequestEntityTooLargeException", 413)
    assert message == "body: expected at most 128 KiB"


def test_an_id_is_decoded_once(served: Overfly, iot: Any) -> None:
    iot.publish(topic="aircraft/航空機/position", qos=1, payload=json.dumps(fix()))
    assert served.get("/v1/devices/航空機")["id"] == "航空機"
    message = refused(iot, topic="aircraft/a%2Fb/position", qos=1, payload=json.dumps(fix()))[1]
    assert message.startswith('bad_device_id: deviceId "a%2Fb"')


def test_slashes_may_stand_as_they_are_and_values_are_checked(served: Overfly) -> None:
    url = f"{served.url}/topics/aircraft/plain/position"
    answer = httpx.post(url, params={"qos": "1"}, json=fix())
    assert answer.status_code == 200
    assert answer.json()["message"] == "OK"
    assert answer.json()["traceId"]
    for name, value in (("qos", "2"), ("qos", "one"), ("retain", "yes")):
        refusal = httpx.post(url, params={name: value}, json=fix())
        assert (refusal.status_code, refusal.headers["x-amzn-ErrorType"]) == (400, "InvalidRequestException")
        assert repr(value) in refusal.json()["message"]
    assert httpx.get(url).headers["x-amzn-ErrorType"] == "MethodNotAllowedException"
