"""The AWS stand-in as the demo runs it: two accounts in one program on loopback ports.

It is no part of Overfly: infra/stand_in of the repository has it, with an environment of its own.
"""

import os
from pathlib import Path
from typing import Any

import boto3
import httpx
from botocore.config import Config

from service.demo.ports import HOST, free_port
from service.demo.process import Process

SOURCE = "111111111111"
"""Account A, where devices publish."""
DESTINATION = "222222222222"
"""Account B, which has everything behind the queue."""
REGION = "eu-central-1"
SECRET = "stand-in"  # noqa: S105 - the stand-in takes any


class StandIn:
    """`program` (infra/stand_in/start), from the entry of a `with` to its end. IAM is enforced."""

    def __init__(self, program: Path, folder: Path) -> None:
        self.deliveries = folder / "deliveries.ndjson"
        port = free_port()
        self.url = f"http://{HOST}:{port}"
        command = [str(program), "--port", str(port), "--mqtt-port", str(free_port()), "--enforce-iam"]
        command += ["--state", str(folder / "aws"), "--deliveries", str(self.deliveries)]
        self.process = Process("the AWS stand-in", command, folder, {})

    def __enter__(self) -> "StandIn":
        self.process.__enter__()
        return self

    def __exit__(self, *reason: Any) -> None:
        self.process.__exit__(*reason)

    def is_ready(self) -> bool:
        """Whether it answers."""
        try:
            answer = httpx.get(f"{self.url}/_ministack/health", trust_env=False, timeout=5)
        except httpx.TransportError:
            return False  # not listening yet
        return answer.status_code == httpx.codes.OK

    def client(self, service: str) -> Any:
        """A boto3 client in account B."""
        return boto3.session.Session().client(
            service,
            endpoint_url=self.url,
            region_name=REGION,
            aws_access_key_id=DESTINATION,
            aws_secret_access_key=SECRET,
            config=Config(proxies={}, retries={"total_max_attempts": 1}),
        )

    def variables(self, account: str) -> dict[str, str]:
        """By which a program of `account` finds the stand-in, and nothing of the user's own AWS."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": account,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "NO_PROXY": HOST,
            "no_proxy": HOST,
        }
