"""The AWS stand-in for tests: two accounts in one process, on free ports of 127.0.0.1.

The access key is the account. What a test sees here, it has seen on a stand-in, not on AWS:
infra/stand_in says what is amended in it.
"""

import json
import socket
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import boto3
from botocore.config import Config

from tests.brokers import free_port
from tests.programs import Program, answers
from tests.waiting import wait_until

SOURCE = "111111111111"
"""The account whose devices publish."""
DESTINATION = "222222222222"
"""The account that has the queue and all behind it."""
REGION = "eu-central-1"

REPOSITORY = Path(__file__).parent.parent
PROGRAM = REPOSITORY / "infra/stand_in/start"
ENVIRONMENT = REPOSITORY / ".overfly/stand-in"
START_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Delivery:
    """A mail or a text message that SNS would send. `protocol` is email, email-json or sms.

    `topic_arn` is "" where it was published straight to a telephone number.
    """

    account: str
    protocol: str
    endpoint: str
    subject: str
    message: str
    topic_arn: str
    message_id: str


@dataclass(slots=True)
class StandIn(Program):
    """The stand-in, with state, log and deliveries in `folder`. It keeps its ports over restarts.

    Its state outlives `stop`, not `kill`. With `enforce_iam` every call is judged by the policies of IAM; the
    access keys here are the root users of their accounts.
    """

    folder: Path
    enforce_iam: bool = False
    port: int = field(default_factory=free_port)
    mqtt_port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def endpoint(self) -> str:
        """The URL of every AWS service."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def name(self) -> str:
        return "stand-in"

    def environment(self, account: str = DESTINATION) -> dict[str, str]:
        """Variables by which boto3 and the AWS command line reach the stand-in as `account`."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": account,
            "AWS_SECRET_ACCESS_KEY": "stand-in",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            "NO_PROXY": "127.0.0.1",
            "no_proxy": "127.0.0.1",
        }

    def client(self, service: str, account: str = DESTINATION, **options: Any) -> Any:
        """A boto3 client of the account's root user; `options` go to boto3."""
        return boto3.session.Session().client(
            service,
            **{
                "endpoint_url": self.endpoint,
                "region_name": REGION,
                "aws_access_key_id": account,
                "aws_secret_access_key": "stand-in",
                "config": Config(retries={"total_max_attempts": 1}, read_timeout=60, connect_timeout=5),
                **options,
            },
        )

    def deliveries(self) -> list[Delivery]:
        """The mails and text messages so far, in order."""
        path = self.folder / "deliveries.ndjson"
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        whole = text[: text.rfind("\n") + 1]  # the last line may be half written
        return [_delivery(json.loads(line)) for line in whole.split("\n") if line]

    def start(self) -> Self:
        """Starts it, and waits until it answers."""
        assert ENVIRONMENT.exists(), f"{ENVIRONMENT} is missing: `./run test` makes it"
        command = [PROGRAM, "--port", str(self.port), "--mqtt-port", str(self.mqtt_port)]
        command += ["--state", self.folder.absolute() / "state"]
        command += ["--deliveries", self.folder.absolute() / "deliveries.ndjson"]
        command += ["--enforce-iam"] if self.enforce_iam else []
        self.process = self.launched(command)
        wait_until(self._answers, START_SECONDS, lambda: f"no answer at {self.endpoint}:\n{self.log[-4000:]}")
        return self

    def _answers(self) -> bool:
        self.assert_running()
        try:
            socket.create_connection(("127.0.0.1", self.mqtt_port), timeout=1).close()
        except OSError:
            return False
        return bool(answers(f"{self.endpoint}/_ministack/health"))


def _delivery(noted: dict[str, Any]) -> Delivery:
    return Delivery(
        account=noted["account"],
        protocol=noted["protocol"],
        endpoint=noted["endpoint"],
        subject=noted["subject"],
        message=noted["message"],
        topic_arn=noted["topicArn"],
        message_id=noted["messageId"],
    )
