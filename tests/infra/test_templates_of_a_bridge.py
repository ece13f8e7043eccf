"""infra/'s two templates where `overfly bridge` sends, not AWS IoT: FIFO, a KMS key, a role in account B."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from botocore.exceptions import ClientError
from paho.mqtt import publish

from tests.brokers import Mosquitto
from tests.hops import Hop
from tests.infra.rights import (
    as_the_task,
    assumed,
)
from tests.infra.stacks import create_stack
from tests.stand_in import REGION, StandIn
from tests.waiting import wait_until

PATIENCE = 60.0
FIX = b'{"timestamp":"2026-06-01T00:00:01Z","longitude":7,"latitude":47}'


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    with StandIn(tmp_path_factory.mktemp("stand-in"), enforce_iam=True) as running:
        yield running


def test_bridge_sends_to_a_fifo_queue_as_the_role_in_account_b(aws: StandIn, tmp_path: Path) -> None:
    """Only with the ExternalId. Fargate itself is not run here, and the stand-in does not ask KMS."""
    source, destination = "555555555555", "666666666666"
    theirs = create_stack(
        aws,
        destination,
        "destination-account.yaml",
        SourceAccountId=source,
        QueueType="fifo",
        QueueEncryption="kms",
        SenderRoleName="overfly-bridge",
        ExternalId="between-us",
        Republisher="none",
        TrackerReads="queue",
    )
    ec2 = aws.client("ec2", source)
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    ours = create_stack(
        aws,
        source,
        "source-account.yaml",
        DestinationAccountId=destination,
        QueueType="fifo",
        QueueKeyArn=theirs["QueueKeyArn"],
        Sender="bridge",
        SenderRoleName="overfly-bridge",
        ExternalId="between-us",
        BridgeVpcId=vpc,
        BridgeSubnetIds=ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"],
        BrokerUrl="mqtts://broker.example.com",
        BrokerSecretArn=f"arn:aws:secretsmanager:{REGION}:{source}:secret:broker-AbCdEf",
    )
    assert theirs["TrackerReorderSeconds"] == "0"
    task, role, queue_url = (
        as_the_task(aws, source, ours["SenderRoleArn"]),
        theirs["SenderRoleArn"],
        theirs["QueueUrl"],
    )
    with pytest.raises(ClientError, match="AccessDenied"):
        assumed(aws, role, by=task)
    with Mosquitto(tmp_path / "broker") as broker:
        settings = {
            "SOURCE_MQTT_URL": broker.url,
            "QUEUE_URL": queue_url,
            "QUEUE_ROLE_ARN": role,
            "QUEUE_EXTERNAL_ID": "between-us",
        }
        environment = {**aws.environment(source), **{name.upper(): value for name, value in task.items()}}
        with Hop("bridge", tmp_path / "bridge", settings, environment) as bridge:
            wait_until(lambda: bridge.metric("overfly_bridge_connected") == 1, PATIENCE)
            publish.single("aircraft/4ca7b3/position", FIX, qos=1, port=broker.port)
            wait_until(
                lambda: bridge.metric("overfly_bridge_sent_total") == 1, PATIENCE, lambda: bridge.log[-4000:]
            )
    as_bridge = aws.client("sqs", **assumed(aws, role, by=task, ExternalId="between-us"))
    for forbidden in (as_bridge.receive_message, as_bridge.purge_queue):
        with pytest.raises(ClientError, match="AccessDenied"):
            forbidden(QueueUrl=queue_url)
