"""Both accounts of infra/'s templates in the stand-in, and devices with certificates."""

import ssl
import sys
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode

from tests.sam import deploy, sam
from tests.stand_in import DESTINATION, REPOSITORY, SOURCE, StandIn

STACK = "overfly"
SECONDS = 20.0


def built(folder: Path) -> Mapping[str, Path]:
    """Account -> template to deploy. Only account B's has something to build: the Lambda function."""
    sam(
        *("build", "--template-file", REPOSITORY / "infra/destination-account.yaml"),
        *("--build-dir", folder / "build", "--cache-dir", folder / "cache"),
        environment={"PYTHON": sys.executable},
    )
    return {SOURCE: REPOSITORY / "infra/source-account.yaml", DESTINATION: folder / "build/template.yaml"}


@dataclass(frozen=True, slots=True)
class Accounts:
    """Both stacks, deployed. `outputs` by account."""

    aws: StandIn
    outputs: Mapping[str, Mapping[str, str]]

    @classmethod
    def deployed(
        cls, aws: StandIn, templates: Mapping[str, Path], parameters: Mapping[str, Mapping[str, str]]
    ) -> "Accounts":
        def one(account: str) -> Mapping[str, str]:
            deploy(templates[account], STACK, parameters[account], environment=aws.environment(account))
            return outputs(aws, account)

        with ThreadPoolExecutor() as pool:
            return cls(aws, dict(zip(templates, pool.map(one, templates), strict=True)))

    def messages(self, account: str, queue_url: str) -> list[dict[str, Any]]:
        """Takes what is in a queue now, up to ten messages."""
        sqs = self.aws.client("sqs", account)
        found = sqs.receive_message(
            QueueUrl=queue_url, MaxNumberOfMessages=10, MessageAttributeNames=["All"], WaitTimeSeconds=1
        )
        messages: list[dict[str, Any]] = found.get("Messages", [])
        for message in messages:
            sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"])
        return messages


def outputs(aws: StandIn, account: str, stack: str = STACK) -> Mapping[str, str]:
    [found] = aws.client("cloudformation", account).describe_stacks(StackName=stack)["Stacks"]
    return {output["OutputKey"]: output["OutputValue"] for output in found["Outputs"]}


@dataclass(frozen=True, slots=True)
class Device:
    """A thing of account A: it has a certificate of AWS IoT's, and the template's device policy."""

    aws: StandIn
    name: str
    folder: Path

    @classmethod
    def registered(cls, aws: StandIn, name: str, policy: str, folder: Path) -> "Device":
        iot = aws.client("iot", SOURCE)
        made = iot.create_keys_and_certificate(setAsActive=True)
        iot.create_thing(thingName=name)
        iot.attach_thing_principal(thingName=name, principal=made["certificateArn"])
        iot.attach_policy(policyName=policy, target=made["certificateArn"])
        folder.mkdir(parents=True)
        (folder / "certificate.pem").write_text(made["certificatePem"])
        (folder / "key.pem").write_text(made["keyPair"]["PrivateKey"])
        (folder / "ca.pem").write_text(httpx.get(f"{aws.endpoint}/_ministack/iot/ca.pem").text)
        return cls(aws, name, folder)

    def forget(self) -> None:
        """Takes certificate and thing out of the account again."""
        iot = self.aws.client("iot", SOURCE)
        for arn in iot.list_thing_principals(thingName=self.name)["principals"]:
            for policy in iot.list_attached_policies(target=arn)["policies"]:
                iot.detach_policy(policyName=policy["policyName"], target=arn)
            iot.detach_thing_principal(thingName=self.name, principal=arn)
            identity = arn.rpartition("/")[2]
            iot.update_certificate(certificateId=identity, newStatus="INACTIVE")
            iot.delete_certificate(certificateId=identity)
        iot.delete_thing(thingName=self.name)

    def publish(self, topic: str, *payloads: bytes) -> bool:
        """Publishes over MQTT with TLS at QoS 1; whether all were acknowledged."""
        client = paho.Client(CallbackAPIVersion.VERSION2, client_id=self.name)
        client.tls_set(
            str(self.folder / "ca.pem"),
            str(self.folder / "certificate.pem"),
            str(self.folder / "key.pem"),
            tls_version=ssl.PROTOCOL_TLS_CLIENT,
        )
        connected, gone = threading.Event(), threading.Event()
        client.on_connect = lambda *_: connected.set()
        client.on_disconnect = lambda *_: gone.set()
        client.connect("localhost", self.aws.mqtt_port)
        client.loop_start()
        try:
            assert connected.wait(SECONDS), "the broker does not let the device in"
            sent = [client.publish(topic, payload, qos=1) for payload in payloads]
            while not all(one.is_published() for one in sent) and not gone.wait(0.02):
                assert all(one.rc == MQTTErrorCode.MQTT_ERR_SUCCESS for one in sent)
            return all(one.is_published() for one in sent)
        finally:
            client.loop_stop()
            client.disconnect()
