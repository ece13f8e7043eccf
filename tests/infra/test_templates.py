"""infra/'s two templates: linted, built, deployed into the stand-in with IAM enforced, used, and deleted.

What is shown here was seen on a stand-in, not on AWS; infra/README.md lists what is linted only.
"""

import base64
import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.infra.accounts import Accounts, Device, built
from tests.infra.rights import (
    as_list,
    assumed,
    identity_statements,
    role_that_may_all_of_sqs,
    root_of,
    user_with_policy,
)
from tests.infra.stacks import Left, create_stack, delete
from tests.sam import sam
from tests.services import Overfly
from tests.stand_in import DESTINATION, REPOSITORY, SOURCE, StandIn
from tests.waiting import wait_until

STRANGER = "333333333333"
MAIL, TEXT = "dispatcher@example.com", "+41791234567"
PATIENCE = 60.0
OVERFLY = (sys.executable, "-c", "from service.cli import main; main()")


@pytest.fixture(scope="module")
def templates(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    return built(tmp_path_factory.mktemp("built"))


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    with StandIn(tmp_path_factory.mktemp("stand-in"), enforce_iam=True) as running:
        yield running


@pytest.fixture(scope="module")
def accounts(aws: StandIn, templates: Mapping[str, Path]) -> Accounts:
    return Accounts.deployed(
        aws,
        templates,
        {
            SOURCE: {"DestinationAccountId": DESTINATION},
            DESTINATION: {
                "SourceAccountId": SOURCE,
                "Runtime": f"python3.{sys.version_info.minor}",
                "Architecture": {"aarch64": "arm64"}.get(platform.machine(), platform.machine()),
                "IotEndpoint": aws.endpoint,
                "AlertEmail": MAIL,
                "AlertPhone": TEXT,
                "AlertGeofences": "LSZH",
            },
        },
    )


@pytest.fixture(scope="module")
def device(accounts: Accounts, tmp_path_factory: pytest.TempPathFactory) -> Device:
    policy = accounts.outputs[SOURCE]["DevicePolicyName"]
    return Device.registered(accounts.aws, "4ca7b3", policy, tmp_path_factory.mktemp("devices") / "4ca7b3")


@pytest.fixture(scope="module")
def tracker(accounts: Accounts, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Overfly]:
    """Reads its queue as a user of account B who has the template's policy and no other right."""
    given, folder = accounts.outputs[DESTINATION], tmp_path_factory.mktemp("tracker")
    key = user_with_policy(accounts.aws, "tracker", given["TrackerPolicyArn"])
    settings = {
        "QUEUE_URL": given["TrackerQueueUrl"],
        "EVENT_BUS": given["EventBusName"],
        "REORDER_SECONDS": "0.5",
    }
    with Overfly(folder, settings, {**accounts.aws.environment(DESTINATION), **key}) as running:
        geofences = folder / "geofences.json"
        circles = [("LSZH", 8.548, 47.458), ("LSGG", 6.109, 46.238)]
        geofences.write_text(
            json.dumps({"type": "FeatureCollection", "features": [circle(*each) for each in circles]})
        )
        running.put_geofences(geofences)
        yield running


def circle(name: str, longitude: float, latitude: float) -> dict[str, Any]:
    return {
        "type": "Feature",
        "id": name,
        "properties": {"radius": 8000},
        "geometry": {"type": "Point", "coordinates": [longitude, latitude]},
    }


def fix(second: int, longitude: float, latitude: float) -> bytes:
    when = f"2018-08-01T05:00:{second:02}.000Z"
    return json.dumps({"timestamp": when, "latitude": latitude, "longitude": longitude}).encode()


# --- The templates themselves ---


def test_templates_pass_sams_lint() -> None:
    def lint(template: str) -> str:
        return sam("validate", "--lint", "--template-file", REPOSITORY / "infra" / template)

    with ThreadPoolExecutor() as pool:
        for said in pool.map(lint, ("source-account.yaml", "destination-account.yaml")):
            assert "is a valid SAM Template" in said


def test_function_is_ingest_and_msgspec_for_every_python_and_processor(
    templates: Mapping[str, Path],
) -> None:
    package = templates[DESTINATION].parent / "RepublisherFunction"
    assert {path.name.partition("-")[0] for path in package.iterdir()} == {"ingest", "msgspec"}
    assert {path.suffix for path in (package / "ingest").rglob("*.*")} == {".py", ".typed"}
    compiled = {path.name for path in (package / "msgspec").glob("_core*.so")}
    assert compiled == {
        f"_core.cpython-3{minor}-{processor}-linux-gnu.so"
        for minor in (11, 12, 13, 14)
        for processor in ("x86_64", "aarch64")
    }


def test_iot_rule_with_a_fifo_queue_is_refused_with_a_sentence(aws: StandIn) -> None:
    with pytest.raises(ClientError, match="AWS IoT rules cannot write to FIFO queues"):
        create_stack(
            aws, "444444444444", "source-account.yaml", QueueType="fifo", DestinationAccountId=SOURCE
        )


def test_no_role_may_do_more_than_is_written_down(accounts: Accounts) -> None:
    """Of all roles and policies of both stacks, no action is a wildcard and no resource is all of them."""
    for account in (SOURCE, DESTINATION):
        statements = list(identity_statements(accounts.aws, account))
        assert statements
        for statement in statements:
            actions, resources = as_list(statement["Action"]), as_list(statement["Resource"])
            assert not [action for action in actions if "*" in action], statement
            assert "*" not in resources, statement


# --- The way of a position ---


def test_device_that_enters_in_account_a_is_told_of_by_mail_and_text_from_account_b(
    accounts: Accounts, device: Device, tracker: Overfly
) -> None:
    """Of the geofence that the filter names, once each way; not of the other one."""
    topic = f"aircraft/{device.name}/position"
    fixes = [fix(1, 6.109, 46.238), fix(2, 8.0, 47.0), fix(3, 8.548, 47.458), fix(4, 9.5, 47.0)]
    assert device.publish(topic, *fixes)
    wait_until(lambda: len(accounts.aws.deliveries()) >= 4, PATIENCE, lambda: tracker.log[-4000:])
    events = {
        (event["eventType"], event["geofenceId"]): event["eventId"] for event in tracker.items("/v1/events")
    }
    assert len(events) == 4
    told = [
        (delivery.protocol, delivery.endpoint, json.loads(delivery.message))
        for delivery in accounts.aws.deliveries()
    ]
    for protocol, endpoint in (("email", MAIL), ("sms", TEXT)):
        entered, left = [message for *to, message in told if to == [protocol, endpoint]]
        assert entered == {
            "message": "4ca7b3 entered LSZH at 2018-08-01T05:00:03.000Z.",
            "EventType": "ENTER",
            "DeviceId": "4ca7b3",
            "GeofenceId": "LSZH",
            "SampleTime": "2018-08-01T05:00:03.000Z",
            "Position": [8.548, 47.458],
            "EventId": events["ENTER", "LSZH"],
        }
        assert left["message"] == "4ca7b3 left LSZH at 2018-08-01T05:00:04.000Z."
        assert left["EventId"] == events["EXIT", "LSZH"]
    assert len(told) == 4


def test_doctor_sees_all_that_the_tracker_rests_on_with_no_right_but_the_trackers(
    accounts: Accounts, tracker: Overfly
) -> None:
    said = subprocess.run(
        [*OVERFLY, "doctor"],
        env=tracker.environment(),
        cwd=tracker.folder,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    findings = {subject: (verdict, detail) for verdict, subject, detail in map(finding, said.splitlines())}
    for subject in ("queue", "queue rights", "redrive policy", "dead-letter queue", "event bus", "bus rules"):
        assert findings[subject][0] == "ok", said
    assert findings["dead-letter queue"][1].endswith(", empty")
    assert findings["event bus"][1].endswith(f":event-bus/{accounts.outputs[DESTINATION]['EventBusName']}")


def finding(line: str) -> tuple[str, str, str]:
    """Of a line of `overfly doctor`: verdict, subject, detail."""
    verdict, _, said = line.partition(" ")
    subject, _, detail = said.strip().partition(": ")
    return verdict, subject, detail


def test_payload_that_is_no_position_is_refused_where_people_can_see_it(
    device: Device, tracker: Overfly
) -> None:
    topic = f"aircraft/{device.name}/position"
    assert device.publish(topic, b"no JSON")
    wait_until(lambda: list(tracker.items("/v1/rejects")), PATIENCE, lambda: tracker.log[-4000:])
    [reject] = tracker.items("/v1/rejects")
    assert (reject["topic"], reject["reason"], reject["payload"]) == (topic, "bad_json", "no JSON")


def test_device_may_publish_to_its_own_topic_only(device: Device) -> None:
    assert not device.publish("aircraft/another/position", fix(1, 0, 0))


# --- Where what goes wrong ends ---


def test_only_the_senders_role_may_send_and_only_aws_iot_may_be_it(accounts: Accounts) -> None:
    """Neither a role of another account, nor another role of account A, whatever rights they have there."""
    queue_url = accounts.outputs[DESTINATION]["QueueUrl"]
    for account in (STRANGER, SOURCE):
        with role_that_may_all_of_sqs(accounts.aws, account) as role:
            sqs = accounts.aws.client("sqs", **assumed(accounts.aws, role, by=root_of(account)))
            with pytest.raises(ClientError) as refused:
                sqs.send_message(QueueUrl=queue_url, MessageBody="{}")
        assert "AccessDenied" in refused.value.response["Error"]["Code"]
    with pytest.raises(ClientError) as refused:
        assumed(accounts.aws, accounts.outputs[SOURCE]["SenderRoleArn"], by=root_of(SOURCE))
    assert refused.value.response["Error"]["Code"] == "AccessDenied"


def test_poison_is_in_the_dead_letter_queue_with_its_reason(accounts: Accounts) -> None:
    given, sqs = accounts.outputs[DESTINATION], accounts.aws.client("sqs", DESTINATION)
    sent = sqs.send_message(QueueUrl=given["QueueUrl"], MessageBody="neither an envelope nor JSON")
    found: list[dict[str, Any]] = []
    wait_until(
        lambda: found or found.extend(accounts.messages(DESTINATION, given["DeadLetterQueueUrl"])), PATIENCE
    )
    [letter] = found
    attributes = {name: value["StringValue"] for name, value in letter["MessageAttributes"].items()}
    assert letter["Body"] == "neither an envelope nor JSON"
    assert attributes["Reason"] == "malformed"
    assert attributes["SourceMessageId"] == sent["MessageId"]


def test_operators_policy_is_all_that_redrive_needs(accounts: Accounts, tmp_path: Path) -> None:
    given, sqs = accounts.outputs[DESTINATION], accounts.aws.client("sqs", DESTINATION)
    key = user_with_policy(accounts.aws, "operator", given["OperatorPolicyArn"])
    operator = {**os.environ, **accounts.aws.environment(DESTINATION), **key}
    operator["OVERFLY_IOT_ENDPOINT"] = accounts.aws.endpoint

    def said(*arguments: str, **settings: str) -> str:
        done = subprocess.run(
            [*OVERFLY, "redrive", *arguments],
            env=operator | settings,
            cwd=tmp_path,
            check=False,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    try:
        said(OVERFLY_QUEUE_URL=given["TrackerQueueUrl"])
        named = {"OVERFLY_QUEUE_URL": given["QueueUrl"]}
        sqs.send_message(QueueUrl=given["DeadLetterQueueUrl"], MessageBody="operator's")
        assert "operator's" in said(**named)
        assert "1 letter sent back" in said("--send", **named)
        assert "0 payloads" in said("--rule-errors", given["UndeliveredQueueUrl"], "--send")
        found: list[dict[str, Any]] = []  # the function refuses it again
        wait_until(
            lambda: found or found.extend(accounts.messages(DESTINATION, given["DeadLetterQueueUrl"])),
            PATIENCE,
        )
    finally:
        accounts.aws.client("iam", DESTINATION).detach_user_policy(
            UserName="operator", PolicyArn=given["OperatorPolicyArn"]
        )


def test_position_that_the_queue_refuses_is_kept_by_the_rules_error_action_and_redriven(
    accounts: Accounts, device: Device, tracker: Overfly, tmp_path: Path
) -> None:
    """The queue's policy is taken away, as an operator might by mistake."""
    given, sqs = accounts.outputs[DESTINATION], accounts.aws.client("sqs", DESTINATION)
    named = {"QueueUrl": given["QueueUrl"]}
    before = sqs.get_queue_attributes(**named, AttributeNames=["Policy"])["Attributes"]["Policy"]
    sqs.set_queue_attributes(**named, Attributes={"Policy": ""})
    try:
        kept = kept_by_error_action(accounts, device, fix(5, 7, 47))
        assert "AccessDenied" in kept["failures"][0]["errorMessage"]
        assert device.publish(f"aircraft/{device.name}/position", fix(6, 8.548, 47.458))
        assert "AccessDenied" in redriven(accounts, tmp_path)
    finally:
        sqs.set_queue_attributes(**named, Attributes={"Policy": before})
    assert "1 payload sent through the rules again; 0 left" in redriven(accounts, tmp_path, "--send")
    when = "2018-08-01T05:00:06.000Z"
    wait_until(
        lambda: when in {event["sampleTime"] for event in tracker.items("/v1/events")},
        PATIENCE,
        lambda: tracker.log[-4000:],
    )


def redriven(accounts: Accounts, folder: Path, *options: str) -> str:
    """What `overfly redrive` says of account A's undelivered queue."""
    queue_url = accounts.outputs[SOURCE]["UndeliveredQueueUrl"]
    return subprocess.run(
        [*OVERFLY, "redrive", "--rule-errors", queue_url, *options],
        env={
            **os.environ,
            **accounts.aws.environment(SOURCE),
            "OVERFLY_IOT_ENDPOINT": accounts.aws.endpoint,
        },
        cwd=folder,
        check=True,
        capture_output=True,
        text=True,
    ).stdout


def kept_by_error_action(accounts: Accounts, device: Device, payload: bytes) -> dict[str, Any]:
    topic = f"aircraft/{device.name}/position"
    assert device.publish(topic, payload)
    found: list[dict[str, Any]] = []
    queue_url = accounts.outputs[SOURCE]["UndeliveredQueueUrl"]
    wait_until(lambda: found or found.extend(accounts.messages(SOURCE, queue_url)), PATIENCE)
    kept: dict[str, Any] = json.loads(found[0]["Body"])
    assert kept["topic"] == topic
    assert base64.b64decode(kept["base64OriginalPayload"]) == payload
    return kept


# --- The end ---


def test_deleted_stacks_leave_nothing_and_what_devices_send_then_is_kept(
    accounts: Accounts, device: Device, tracker: Overfly
) -> None:
    """Account B first: the rule's queue is gone, and its error action has the position."""
    aws = accounts.aws
    tracker.stop()
    aws.client("iam").detach_user_policy(
        UserName="tracker", PolicyArn=accounts.outputs[DESTINATION]["TrackerPolicyArn"]
    )
    delete(aws, DESTINATION)
    kept = kept_by_error_action(accounts, device, fix(7, 7, 47))
    assert "QueueDoesNotExist" in kept["failures"][0]["errorMessage"]
    device.forget()
    delete(aws, SOURCE)
    with ThreadPoolExecutor() as pool:
        left = pool.map(lambda account: Left.in_account(aws, account), (SOURCE, DESTINATION))
    assert [sorted(each.names) for each in left] == [["events default"]] * 2
