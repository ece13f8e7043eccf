"""Signature Version 4: who holds a secret access key gets in, and nobody who only looks like it."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from botocore.auth import SigV4QueryAuth
from botocore.exceptions import ClientError

from service.access.caller import Scope
from service.access.key_making import MadeKey
from tests.amazon import ALL, same
from tests.gates import ACCOUNT
from tests.service.access.guarded import Guarded, sent, signed

MINUTE = 60_000
GONE = "The security token included in the request is invalid."


@pytest.fixture
def key(guarded: Guarded) -> MadeKey:
    return guarded.keys.make(Scope.ADMIN, kind="access")


def refused(answer: httpx.Response, name: str, status: int = 403) -> str:
    """The sentence of a refusal as Amazon's services write it."""
    assert (answer.status_code, answer.headers.get("x-amzn-errortype")) == (status, name), answer.text
    return str(answer.json()["message"])


def code(error: ClientError) -> tuple[str, int]:
    return error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"]


@same(ALL)
@pytest.mark.parametrize("region", ["eu-central-1", "us-gov-west-1"])
def test_boto3_signs_and_is_known(guarded: Guarded, key: MadeKey, region: str) -> None:
    client = guarded.boto3(key, region=region)
    client.create_tracker(TrackerName="vans-1.x_u", Tags={"a b": "c/d+e=f"})
    arn = client.describe_tracker(TrackerName="vans-1.x_u")["TrackerArn"]
    assert client.list_tags_for_resource(ResourceArn=arn)["Tags"] == {"a b": "c/d+e=f"}
    client.untag_resource(ResourceArn=arn, TagKeys=["a b", "z"])
    client.delete_tracker(TrackerName="vans-1.x_u")
    assert {entry.caller for entry in guarded.audit()} == {f"key {key.row.key_id} ({key.row.name})"}


def test_iot_data_signs_for_its_own_service(guarded: Guarded, key: MadeKey) -> None:
    payload = b'{"timestamp":"2018-08-01T05:00:00Z","latitude":46,"longitude":7}'
    iot = guarded.boto3(key, "iot-data")
    iot.publish(topic="aircraft/van1/position", qos=1, payload=payload)
    answer = sent(signed(key, "POST", f"{guarded.url}/topics/aircraft%2Fvan1%2Fposition", payload))
    assert "iotdata" in refused(answer, "UnrecognizedClientException")


CHANGES: list[tuple[dict[str, Any], str]] = [
    ({"body": b'{"MaxResults":2}'}, "InvalidSignatureException"),
    ({"body": b""}, "InvalidSignatureException"),
    ({"target": "/tracking/v0/list-trackers?a=2"}, "InvalidSignatureException"),
    ({"target": "/tracking/v0/list-trackers"}, "InvalidSignatureException"),
    ({"target": "/tracking/v0/list-trackers?a=%201"}, "InvalidSignatureException"),
    ({"target": "/tracking/v0/list-trackers?a=1&a=1"}, "InvalidSignatureException"),
    ({"target": "/tracking/v0/list-trackers?a=1&X%2DAmz-Signature=b"}, "InvalidSignatureException"),
    ({"target": "/geofencing/v0/list-collections?a=1"}, "InvalidSignatureException"),
    ({"target": "/tracking/v0/%6cist-trackers?a=1"}, "InvalidSignatureException"),
    ({"target": "/tracking/v0/x/../list-trackers?a=1"}, "IncompleteSignature"),
    ({"target": "/tracking/v0/x/%2E%2e/list-trackers?a=1"}, "IncompleteSignature"),
    ({"target": "/tracking/v0/./list-trackers?a=1"}, "IncompleteSignature"),
    ({"target": "/tracking//v0/list-trackers?a=1"}, "IncompleteSignature"),
    ({"method": "PUT"}, "InvalidSignatureException"),
    ({"headers": {"Content-Type": "text/plain"}}, "InvalidSignatureException"),
    ({"headers": {"Host": "localhost:1"}}, "InvalidSignatureException"),
    ({"headers": {"X-Amz-Date": None}}, "IncompleteSignature"),
    ({"headers": {"X-Amz-Meta": "unsigned"}}, "IncompleteSignature"),
    ({"headers": {"X-Amz-Content-SHA256": "UNSIGNED-PAYLOAD"}}, "IncompleteSignature"),
]


def test_what_was_changed_on_the_way_is_refused(guarded: Guarded, key: MadeKey) -> None:
    url = f"{guarded.url}/tracking/v0/list-trackers?a=1"
    request = signed(key, "POST", url, b'{"MaxResults":1}', headers={"Content-Type": "application/json"})
    assert sent(request).status_code == 200
    for change, name in CHANGES:
        answer = sent(request, **change)
        assert (answer.headers.get("x-amzn-errortype"), change) == (name, change)
        refused(answer, name, 400 if name == "IncompleteSignature" else 403)


def test_an_unsigned_payload_is_refused_also_where_it_is_signed_as_such(
    guarded: Guarded, key: MadeKey
) -> None:
    headers = {"X-Amz-Content-SHA256": "UNSIGNED-PAYLOAD"}
    request = signed(key, "POST", f"{guarded.url}/tracking/v0/list-trackers", b"{}", headers=headers)
    refused(sent(request), "InvalidSignatureException")


def test_a_signature_of_another_secret_or_of_no_key_is_refused(guarded: Guarded, key: MadeKey) -> None:
    other = guarded.keys.make(Scope.ADMIN, kind="access")
    url = f"{guarded.url}/tracking/v0/list-trackers"
    forged = MadeKey(key.row, other.secret)
    refused(sent(signed(forged, "POST", url, b"{}")), "InvalidSignatureException")
    nobodys = MadeKey(key.row._replace(key_id="AKIAIOSFODNN7EXAMPLE"), key.secret)
    assert refused(sent(signed(nobodys, "POST", url, b"{}")), "UnrecognizedClientException") == GONE
    api = guarded.keys.make(Scope.ADMIN)
    by_api = MadeKey(api.row, api.secret)
    assert refused(sent(signed(by_api, "POST", url, b"{}")), "UnrecognizedClientException") == GONE


def test_a_revoked_and_an_expired_key_are_told_apart(guarded: Guarded) -> None:
    ends = guarded.keys.make(Scope.READ, kind="access", expires_time=guarded.keys.clock() + MINUTE)
    client = guarded.boto3(ends)
    client.list_trackers()
    guarded.keys.clock.ahead = 2 * MINUTE
    with pytest.raises(ClientError) as refusal:
        client.list_trackers()
    assert code(refusal.value) == ("ExpiredTokenException", 403)
    guarded.keys.clock.ahead = 0
    assert (
        guarded.ask(guarded.keys.make(Scope.ADMIN), "DELETE", f"/v1/keys/{ends.row.key_id}").status_code
        == 204
    )
    with pytest.raises(ClientError) as refusal:
        client.list_trackers()
    assert code(refusal.value) == ("UnrecognizedClientException", 403)


@same(ALL)
@pytest.mark.parametrize(("ahead", "word"), [(6, "Signature expired"), (-6, "Signature not yet current")])
def test_clocks_may_differ_by_five_minutes(guarded: Guarded, key: MadeKey, ahead: int, word: str) -> None:
    client = guarded.boto3(key)
    guarded.keys.clock.ahead = (4 if ahead > 0 else -4) * MINUTE
    client.list_trackers()
    guarded.keys.clock.ahead = ahead * MINUTE
    with pytest.raises(ClientError, match=word) as refusal:
        client.list_trackers()
    assert code(refusal.value) == ("InvalidSignatureException", 403)


def test_a_request_that_is_sent_again_changes_nothing_and_later_counts_no_more(
    guarded: Guarded, key: MadeKey
) -> None:
    request = signed(key, "POST", f"{guarded.url}/tracking/v0/trackers", b'{"TrackerName":"once"}')
    assert sent(request).status_code == 200
    refused(sent(request), "ConflictException", 409)
    guarded.keys.clock.ahead = 6 * MINUTE
    assert "Signature expired" in refused(sent(request), "InvalidSignatureException")


@same(ALL)
def test_a_presigned_request_is_good_for_as_long_as_it_says(guarded: Guarded, key: MadeKey) -> None:
    url = f"{guarded.url}/v1/devices?limit=5"
    presigned = signed(key, "GET", url, signer=SigV4QueryAuth, expires=3600)
    assert httpx.get(presigned.url).status_code == 200
    assert httpx.get(presigned.url.replace("limit=5", "limit=6")).status_code == 401
    assert httpx.get(presigned.url.replace("X-Amz-Expires=3600", "X-Amz-Expires=36000")).status_code == 401
    assert httpx.get(presigned.url.replace("/v1/devices", "/v1/events")).status_code == 401
    assert httpx.post(presigned.url).status_code == 401
    guarded.keys.clock.ahead = 59 * MINUTE
    assert httpx.get(presigned.url).status_code == 200
    guarded.keys.clock.ahead = 61 * MINUTE
    late = httpx.get(presigned.url)
    assert (late.status_code, "Signature expired" in late.json()["detail"]) == (401, True)


def test_a_presigned_request_is_good_for_seven_days_at_most(guarded: Guarded, key: MadeKey) -> None:
    for expires in (0, -1, 604_801, "1e3", ""):
        presigned = signed(key, "GET", f"{guarded.url}/v1/devices", signer=SigV4QueryAuth, expires=expires)
        answer = httpx.get(presigned.url)
        assert (answer.status_code, "X-Amz-Expires" in answer.json()["detail"]) == (401, True)


ZEROS = "0" * 64
NO_SIGNATURES = (
    "AWS4-HMAC-SHA256",
    f"AWS4-HMAC-SHA1 Credential={{}}, SignedHeaders=host;x-amz-date, Signature={ZEROS}",
    f"AWS4-HMAC-SHA256 Credential={{}}, SignedHeaders=x-amz-date, Signature={ZEROS}",
    f"AWS4-HMAC-SHA256 Credential={{}}, SignedHeaders=host, Signature={ZEROS}",
    f"AWS4-HMAC-SHA256 Credential={{}}, SignedHeaders=host;x-amz-date;other, Signature={ZEROS}",
    f"AWS4-HMAC-SHA256 Credential={{}}, SignedHeaders=host;x-amz-date, Signature={ZEROS}0",
    f"AWS4-HMAC-SHA256 Credential=../.., SignedHeaders=host;x-amz-date, Signature={ZEROS}",
    f"AWS4-HMAC-SHA256 Credential={{}}, Credential=, Signature={ZEROS}",
)


def test_a_signature_that_cannot_be_one_is_refused(guarded: Guarded, key: MadeKey) -> None:
    at = datetime.now(UTC)
    credential = f"{key.row.key_id}/{at:%Y%m%d}/eu-central-1/geo/aws4_request"
    for authorization in NO_SIGNATURES:
        headers = {"Authorization": authorization.format(credential), "X-Amz-Date": f"{at:%Y%m%dT%H%M%SZ}"}
        answer = httpx.post(f"{guarded.url}/tracking/v0/list-trackers", headers=headers, content=b"{}")
        refused(answer, "IncompleteSignature", 400)


def test_the_day_of_the_credential_is_that_of_the_signature(guarded: Guarded, key: MadeKey) -> None:
    request = signed(key, "POST", f"{guarded.url}/tracking/v0/list-trackers", b"{}")
    day = (datetime.now(UTC) - timedelta(days=1)).strftime("%Y%m%d")
    authorization = re.sub(r"/\d{8}/", f"/{day}/", request.headers["Authorization"])
    answer = sent(request, headers={"Authorization": authorization})
    refused(answer, "IncompleteSignature", 400)


@same(ALL)
def test_a_key_of_another_account_has_nothing_here(guarded: Guarded) -> None:
    theirs = guarded.keys.make(Scope.ADMIN, kind="access", account_id="999999999999")
    with pytest.raises(ClientError, match="999999999999") as refusal:
        guarded.boto3(theirs).list_trackers()
    assert code(refusal.value) == ("AccessDeniedException", 403)
    assert guarded.refusal(
        403, guarded.keys.make(Scope.READ, account_id="999999999999"), "GET", "/v1/devices"
    )


def test_an_arn_of_another_account_is_refused(guarded: Guarded, key: MadeKey) -> None:
    client = guarded.boto3(key)
    client.create_tracker(TrackerName="vans")
    client.create_geofence_collection(CollectionName="yards")
    mine = f"arn:aws:geo:us-east-1:{ACCOUNT}:geofence-collection/yards"
    theirs = mine.replace(ACCOUNT, "999999999999")
    client.associate_tracker_consumer(TrackerName="vans", ConsumerArn=mine)
    for ask in (client.associate_tracker_consumer, client.disassociate_tracker_consumer):
        with pytest.raises(ClientError) as refusal:
            ask(TrackerName="vans", ConsumerArn=theirs)
        assert code(refusal.value) == ("AccessDeniedException", 403)
    with pytest.raises(ClientError) as refusal:
        client.list_tags_for_resource(ResourceArn=theirs)
    assert code(refusal.value) == ("AccessDeniedException", 403)


def test_without_any_credentials_amazons_name_of_it_is_answered(guarded: Guarded) -> None:
    answer = httpx.post(f"{guarded.url}/tracking/v0/list-trackers", content=b"{}")
    assert refused(answer, "MissingAuthenticationTokenException") == "Missing Authentication Token"


def test_a_key_made_of_another_secret_signs_nothing(guarded: Guarded, key: MadeKey) -> None:
    with guarded.keys.database.write() as connection:
        connection.exec_driver_sql("UPDATE access_key SET digest = zeroblob(32)")
    guarded.keys.ring.forget()
    answer = sent(signed(key, "POST", f"{guarded.url}/tracking/v0/list-trackers", b"{}"))
    assert refused(answer, "UnrecognizedClientException") == GONE
