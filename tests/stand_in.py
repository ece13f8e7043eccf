"""The AWS stand-in for tests: two accounts in one process, on free ports of 127.0.0.1.

The access key is the account. What a test sees here, it has seen on a stand-in, not on AWS:
infra/stand_in says what is amended in it.
"""

import json
import os
import signal
import socket
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import boto3
import httpx
from botocore.config import Config

from tests.brokers import free_port

SOURCE = "111111111111"
"""The account whose devices publish."""
DESTINATION = "222222222222"
"""The account that has the queue and all behind it."""
REGION = "eu-central-1"

REPOSITORY = Path(__file__).parent.parent
PROGRAM = REPOSITORY / "infra/stand_in/start"
ENVIRONMENT = REPOSITORY / ".overfly/stand-in"
START_SECONDS = 60.0
STOP_SECONDS = 20.0


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
class StandIn:
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
    def log(self) -> str:
        path = self.folder / "stand-in.log"
        return path.read_text(errors="replace") if path.exists() else ""

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
        assert self.process is None, "already running"
        assert ENVIRONMENT.exists(), f"{ENVIRONMENT} is missing: `./run test` makes it"
        self.folder.mkdir(parents=True, exist_ok=True)
        command = [PROGRAM, "--port", str(self.port), "--mqtt-port", str(self.mqtt_port)]
        command += ["--state", self.folder.absolute() / "state"]
        command += ["--deliveries", self.folder.absolute() / "deliveries.ndjson"]
        command += ["--enforce-iam"] if self.enforce_iam else []
        with (self.folder / "stand-in.log").open("ab") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=log, stderr=log)
        self._wait_until_it_answers()
        return self

    def stop(self) -> None:
        """SIGTERM: it writes its state and goes."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL: what it held since its start is lost."""
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        self.stop()
        self.start()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _wait_until_it_answers(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            assert self.process is not None
            assert self.process.poll() is None, f"the stand-in ended at once:\n{self.log[-4000:]}"
            if self._answers():
                return
            time.sleep(0.05)
        self.kill()
        raise AssertionError(f"the stand-in does not answer at {self.endpoint}:\n{self.log[-4000:]}")

    def _answers(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.mqtt_port), timeout=1).close()
            health = httpx.get(f"{self.endpoint}/_ministack/health", timeout=5, trust_env=False)
        except (OSError, httpx.TransportError):
            return False
        return health.status_code == httpx.codes.OK

    def _end(self, how: signal.Signals) -> None:
        process, self.process = self.process, None
        if process is None:
            return
        os.kill(process.pid, how)
        process.wait(STOP_SECONDS)
        assert process.stdin is not None
        process.stdin.close()


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
