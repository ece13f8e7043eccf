"""The API behind its gate, and those who come to it."""

import http.client
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import boto3
import httpx
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials

from service.access.control import AccessControl
from service.access.key_making import MadeKey
from service.store.audit import AuditEntry, audited
from tests.gates import Keys
from tests.service.api.ground import Ground


@dataclass(frozen=True, slots=True)
class Guarded:
    """The API, the keys that open it, and the gate's own parts."""

    ground: Ground
    keys: Keys
    control: AccessControl

    @property
    def url(self) -> str:
        return str(self.ground.client.base_url)

    def ask(self, key: MadeKey | None, method: str, path: str, **request: Any) -> httpx.Response:
        """With an API key in its header, or without any."""
        headers = {**request.pop("headers", {}), **({"X-Api-Key": key.secret} if key else {})}
        return self.ground.client.request(method, path, headers=headers, **request)

    def refusal(self, status: int, key: MadeKey | None, method: str, path: str, **request: Any) -> str:
        """The sentence of a problem that must have this status."""
        answer = self.ask(key, method, path, **request)
        assert answer.status_code == status, answer.text
        assert answer.headers["content-type"] == "application/problem+json"
        return str(answer.json()["detail"])

    def boto3(self, key: MadeKey, service: str = "location", region: str = "eu-central-1") -> Any:
        """A client of Amazon's SDK that signs with this access key."""
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name=region,
            aws_access_key_id=key.row.key_id,
            aws_secret_access_key=key.secret,
            config=Config(inject_host_prefix=False, retries={"total_max_attempts": 1}),
        )

    def audit(self) -> list[AuditEntry]:
        """What the record has."""
        self.control.audit.write_gathered()
        with self.keys.database.read() as connection:
            return [row.entry for row in audited(connection, 0, 1000)]


def signed(
    key: MadeKey,
    method: str,
    url: str,
    body: bytes = b"",
    service: str = "geo",
    region: str = "eu-central-1",
    signer: type[SigV4Auth] = SigV4Auth,
    headers: dict[str, str] | None = None,
    **options: Any,
) -> AWSRequest:
    """A request as botocore signs it."""
    request = AWSRequest(method, url, headers or {}, body)
    signer(Credentials(key.row.key_id, key.secret), service, region, **options).add_auth(request)
    return request


def sent(request: AWSRequest, **changes: Any) -> httpx.Response:
    """Sends it as it is; `changes` are what somebody on the way made of it: method, target, body, headers."""
    url = urlsplit(request.url)
    headers = {**dict(request.headers.items()), **changes.get("headers", {})}
    kept = {name: value for name, value in headers.items() if value is not None}
    target = changes.get("target", url.path + (f"?{url.query}" if url.query else ""))
    connection = http.client.HTTPConnection(url.netloc, timeout=30)
    try:
        connection.request(
            changes.get("method", request.method), target, changes.get("body", request.data), kept
        )
        answer = connection.getresponse()
        return httpx.Response(answer.status, headers=answer.getheaders(), content=answer.read())
    finally:
        connection.close()


def sent_raw(url: str, method: str, target: str, headers: dict[str, str]) -> tuple[int, bytes]:
    """Asks for a target as it is spelled; the status and the content of the answer."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
    try:
        connection.putrequest(method, target)
        for name, value in headers.items():
            connection.putheader(name, value)
        connection.endheaders()
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()
