"""Clients of AWS services, made in one place.

Credentials come by boto3's own chain (environment, profile, container, instance), or by a role that they
assume. Errors are for the hops to wait out (`aws.faults`), so botocore does not repeat requests by itself,
unless a client is asked for that does.
"""

import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import boto3
import botocore.session
from botocore.config import Config
from botocore.credentials import CredentialProvider, CredentialResolver, DeferredRefreshableCredentials
from botocore.exceptions import BotoCoreError

from ingest.aws.faults import sentence

CONNECTIONS: Final = 10
"""Requests that a client has under way at once, from several threads."""
ROLE_SECONDS: Final = 3600
"""What AWS gives a role at most where its credentials came from another role."""


class AwsClientError(ValueError):
    """A description of a client that cannot be: no region, no such profile, an endpoint that is no URL
    or carries a user and password. Its sentence has no secrets.
    """


@dataclass(frozen=True, slots=True)
class AssumedRole:
    """A role to act as, in another account, and the ExternalId that its trust policy may ask for.

    `seconds` is how long one set of its credentials lasts: AWS takes 900 and more. botocore fetches new
    ones a quarter of an hour before they expire.
    """

    arn: str
    external_id: str | None = field(default=None, repr=False)
    session_name: str = "overfly"
    seconds: int = ROLE_SECONDS


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds to wait for a connection, and for an answer. A long poll takes up to 20 s by itself."""

    connect: float = 5.0
    read: float = 30.0


DEFAULT_TIMEOUTS: Final = Timeouts()


def client(
    service: str,
    *,
    region: str | None = None,
    endpoint: str | None = None,
    role: AssumedRole | None = None,
    timeouts: Timeouts = DEFAULT_TIMEOUTS,
    connections: int = CONNECTIONS,
    attempts: int = 1,
) -> Any:
    """A boto3 client, for any number of threads. Nothing is connected, and no role assumed, before its
    first request; what fails then is raised from that request.

    `region` and `endpoint` win over boto3's configuration. `attempts`: how often at most botocore sends a
    request, at the pace that AWS bears. Raises AwsClientError.
    """
    config = Config(
        connect_timeout=timeouts.connect,
        read_timeout=timeouts.read,
        max_pool_connections=connections,
        retries={"mode": "standard" if attempts == 1 else "adaptive", "total_max_attempts": attempts},
        tcp_keepalive=True,
    )
    try:
        # boto3 itself knows only AWS_DEFAULT_REGION, unlike all other clients of AWS
        session = boto3.session.Session(region_name=region or os.environ.get("AWS_REGION"))
        if role is not None:
            session = _session_as(role, session, timeouts)
        made = session.client(service, endpoint_url=endpoint, config=config)
    except (BotoCoreError, ValueError) as error:
        raise AwsClientError(f"no client for {service} can be made: {sentence(error)}") from None
    # anywhere in it: a password may hold a slash
    if "@" in made.meta.endpoint_url:
        named = f"AWS_ENDPOINT_URL (or _{service.upper().replace('-', '_')})" if endpoint is None else "it"
        raise AwsClientError(
            f"no client for {service} can be made: {named} has a user or password in it: "
            "expected https://<host>, and credentials by AWS_*"
        )
    return made


def queue_client(
    queue_url: str, *, role: AssumedRole | None = None, timeouts: Timeouts = DEFAULT_TIMEOUTS
) -> Any:
    """An SQS client for this queue, in the region that its URL names. Raises AwsClientError."""
    return client("sqs", region=region_of_queue(queue_url), role=role, timeouts=timeouts)


def region_of_queue(queue_url: str) -> str | None:
    """The region in a queue's URL, None where the URL names none (a stand-in's)."""
    match = _REGION.match(queue_url)
    return match["region"] or match["old"] if match else None


def queue_url(client: Any, arn: str) -> str:
    """The URL of the queue with this ARN, which SQS (`client`) is asked for. Raises AwsError."""
    account, name = arn.split(":")[-2:]
    return str(client.get_queue_url(QueueName=name, QueueOwnerAWSAccountId=account)["QueueUrl"])


def is_fifo(queue_url: str) -> bool:
    """Whether the queue keeps order and takes message groups: AWS has their names end so."""
    return queue_url.endswith(".fifo")


_NAME: Final = r"[a-z]{2}(?:-[a-z]+)+-\d"
_REGION: Final = re.compile(
    rf"https?://(?:(?:[^/]+\.)?sqs(?:-fips)?\.(?P<region>{_NAME})|(?P<old>{_NAME})\.queue)\.[^/]*/"
)
"""https://sqs.eu-central-1.amazonaws.com/..., a VPC endpoint's, and the oldest form of all."""


def _session_as(
    role: AssumedRole, session: boto3.session.Session, timeouts: Timeouts
) -> boto3.session.Session:
    """A session with the role's credentials, which the credentials of `session` renew when they are due."""
    config = Config(
        connect_timeout=timeouts.connect,
        read_timeout=timeouts.read,
        retries={"mode": "standard", "total_max_attempts": 2},
    )
    tokens = session.client("sts", config=config)
    request = {"RoleArn": role.arn, "RoleSessionName": role.session_name, "DurationSeconds": role.seconds}
    if role.external_id is not None:
        request["ExternalId"] = role.external_id

    def fetched() -> dict[str, str]:
        given = tokens.assume_role(**request)["Credentials"]
        return {
            "access_key": given["AccessKeyId"],
            "secret_key": given["SecretAccessKey"],
            "token": given["SessionToken"],
            "expiry_time": given["Expiration"].isoformat(),
        }

    inner = botocore.session.Session()
    inner.register_component("credential_provider", CredentialResolver([_Assumed(fetched)]))
    return boto3.session.Session(botocore_session=inner, region_name=session.region_name)


class _Assumed(CredentialProvider):  # type: ignore[misc]  # botocore carries no types
    METHOD = "assume-role"

    def __init__(self, fetched: Callable[[], dict[str, str]]) -> None:
        super().__init__()
        self._fetched = fetched

    def load(self) -> Any:
        return DeferredRefreshableCredentials(self._fetched, self.METHOD)
