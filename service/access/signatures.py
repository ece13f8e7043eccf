"""Signature Version 4: whether a request, its body included, is what the holder of a secret signed.

A request carries its signature in the Authorization header, or, presigned, in its query. What is signed:
method, path, query, the headers that it names and the body's SHA-256; all of it is taken from what came,
never from what the request says of itself. A signature is good for five minutes to either side of its time,
a presigned one for as long as it says, seven days at most. Within that the same request may come again, as
it may at Amazon: botocore repeats one within a second with the same signature, and what is asked here is
the same asked twice.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

import hashlib
import hmac
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import parse_qsl, quote, unquote_plus

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from service.access.refusals import BadSignature, WrongSignature

ALGORITHM: Final = "AWS4-HMAC-SHA256"
SKEW: Final = timedelta(minutes=5)
MOST_EXPIRES: Final = 7 * 86_400
TIME: Final = "%Y%m%dT%H%M%SZ"

_CREDENTIAL: Final = re.compile(
    r"(\w{16,128})/(\d{8})/([a-z0-9-]{1,40})/([a-z0-9-]{1,40})/aws4_request", re.ASCII
)
_TIME: Final = re.compile(r"\d{8}T\d{6}Z", re.ASCII)
_SIGNATURE: Final = re.compile(r"[0-9a-f]{64}")
_HEADERS: Final = re.compile(r"[a-z0-9-]+(;[a-z0-9-]+)*")
_PART: Final = re.compile(r"\s*(Credential|SignedHeaders|Signature)=(\S*?)\s*(?:,|$)")
_OF_SIGNATURE: Final = (
    "X-Amz-Algorithm",
    "X-Amz-Credential",
    "X-Amz-Date",
    "X-Amz-Expires",
    "X-Amz-SignedHeaders",
)
_SIGNED_BY: Final = "X-Amz-Signature"
_TOKEN: Final = "X-Amz-Security-Token"  # noqa: S105 - the name of a parameter


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """A request as it came. `path` is not decoded; names of headers are lower case, as they came."""

    method: str
    path: str
    query: str
    headers: Sequence[tuple[str, str]]

    def header(self, name: str) -> str | None:
        """The value of a header that may come once. Raises BadSignature."""
        values = [value for each, value in self.headers if each == name]
        if len(values) > 1:
            raise BadSignature(f"header {name}: given {len(values)} times, expected once")
        return values[0] if values else None


@dataclass(frozen=True, slots=True)
class Signature:
    """What a request says of its signature. `expires`: seconds, of a presigned one."""

    key_id: str
    region: str
    service: str
    time: datetime
    signed_headers: tuple[str, ...]
    value: str
    expires: int | None = None


def read_signature(request: SignedRequest) -> Signature | None:
    """None where the request is not signed. Raises BadSignature where that cannot be taken apart."""
    authorization = request.header("authorization")
    in_header = authorization is not None and authorization.startswith("AWS4-")
    in_query = "X-Amz-" in request.query and any(
        name in _query(request) for name in (*_OF_SIGNATURE, _SIGNED_BY)
    )
    if in_header and in_query:
        raise BadSignature("the request is signed twice, in the Authorization header and in the query")
    if in_header:
        assert authorization is not None  # noqa: S101 - narrows the type
        return _of_header(request, authorization)
    return _of_query(request) if in_query else None


def check_time(signature: Signature, now: datetime) -> None:
    """Raises WrongSignature where it is too old, or of a time to come."""
    signed, at = (each.strftime(TIME) for each in (signature.time, now))
    if signature.time > now + SKEW:
        latest = (now + SKEW).strftime(TIME)
        raise WrongSignature(
            f"Signature not yet current: {signed} is still later than {latest} ({at} + 5 min.)"
        )
    if signature.expires is not None:
        if now > signature.time + timedelta(seconds=signature.expires):
            raise WrongSignature(
                f"Signature expired: it was good for {signature.expires} seconds from {signed}, now is {at}"
            )
    elif signature.time < now - SKEW:
        earliest = (now - SKEW).strftime(TIME)
        raise WrongSignature(f"Signature expired: {signed} is now earlier than {earliest} ({at} - 5 min.)")


def check_signature(signature: Signature, secret: str, request: SignedRequest, body: bytes) -> None:
    """Raises WrongSignature where the request is not what was signed with this secret."""
    digest = hashlib.sha256(body).hexdigest()
    claimed = request.header("x-amz-content-sha256")
    signer = _Signer(Credentials(signature.key_id, secret), signature.service, signature.region)
    as_signed = AWSRequest(
        request.method, f"http://host{request.path}?{_canonical_query(request, signature)}"
    )
    for name, value in request.headers:
        if name in signature.signed_headers:
            as_signed.headers[name] = value  # adds: botocore joins those of one name
    as_signed.context = {"timestamp": signature.time.strftime(TIME), "payload": digest}
    expected = signer.signature(
        signer.string_to_sign(as_signed, signer.canonical_request(as_signed)), as_signed
    )
    same = hmac.compare_digest(expected, signature.value)
    if not same or claimed not in (None, digest):
        raise WrongSignature(
            "The request signature we calculated does not match the signature you provided. Check your AWS "
            "Secret Access Key and signing method. Consult the service documentation for details."
        )


def without_signature(query: str) -> str:
    """What is asked, of a presigned request."""
    return without(query, {*_OF_SIGNATURE, _SIGNED_BY, _TOKEN})


def without(query: str, names: Collection[str]) -> str:
    """The query as it is, but for these parameters."""
    return "&".join(pair for pair in query.split("&") if pair and _name(pair) not in names)


def only(query: str, names: Collection[str]) -> str:
    """The query as it is, of these parameters alone."""
    return "&".join(pair for pair in query.split("&") if pair and _name(pair) in names)


class _Signer(SigV4Auth):  # type: ignore[misc]  # botocore carries no types
    """botocore's, over the headers that the request names, and the body that came."""

    def headers_to_sign(self, request: AWSRequest) -> Any:
        return request.headers

    def payload(self, request: AWSRequest) -> Any:
        return request.context["payload"]


def _of_header(request: SignedRequest, authorization: str) -> Signature:
    algorithm, _, rest = authorization.partition(" ")
    if algorithm != ALGORITHM:
        raise BadSignature(f"Authorization: expected {ALGORITHM}, got {algorithm!r}")
    parts = _PART.findall(rest)
    if sorted(name for name, _ in parts) != ["Credential", "Signature", "SignedHeaders"]:
        raise BadSignature("Authorization: expected Credential=..., SignedHeaders=..., Signature=...")
    time = request.header("x-amz-date")
    if time is None:
        raise BadSignature("header x-amz-date: expected the time of signing")
    return _signature(request, dict(parts), time, None)


def _of_query(request: SignedRequest) -> Signature:
    asked = _query(request)
    faults = [name for name in (*_OF_SIGNATURE, _SIGNED_BY) if len(asked.get(name, ())) != 1]
    if faults:
        raise BadSignature(f"{', '.join(faults)}: expected once in the query of a presigned request")
    value = {name: asked[name][0] for name in (*_OF_SIGNATURE, _SIGNED_BY)}
    if value["X-Amz-Algorithm"] != ALGORITHM:
        raise BadSignature(f"X-Amz-Algorithm: expected {ALGORITHM}")
    text = value["X-Amz-Expires"]
    expires = int(text) if re.fullmatch(r"[0-9]{1,6}", text) else 0
    if not 1 <= expires <= MOST_EXPIRES:
        raise BadSignature(f"X-Amz-Expires: expected 1 to {MOST_EXPIRES} seconds")
    parts = {name: value[f"X-Amz-{name}"] for name in ("Credential", "SignedHeaders", "Signature")}
    return _signature(request, parts, value["X-Amz-Date"], expires)


def _signature(request: SignedRequest, parts: dict[str, str], time: str, expires: int | None) -> Signature:
    credential = _CREDENTIAL.fullmatch(parts["Credential"])
    if credential is None:
        raise BadSignature("Credential: expected <access key id>/<yyyymmdd>/<region>/<service>/aws4_request")
    key_id, date, region, service = credential.groups()
    if not _TIME.fullmatch(time) or not time.startswith(date):
        raise BadSignature("X-Amz-Date: expected yyyymmddThhmmssZ, of the credential's day")
    try:
        signed_at = datetime.strptime(time, TIME).replace(tzinfo=UTC)
    except ValueError:
        raise BadSignature(f"X-Amz-Date: {time} is no time") from None
    if not _SIGNATURE.fullmatch(parts["Signature"]) or not _HEADERS.fullmatch(parts["SignedHeaders"]):
        raise BadSignature(
            "expected Signature as 64 hexadecimal digits, SignedHeaders as names in lower case"
        )
    signed = tuple(parts["SignedHeaders"].split(";"))
    _check_signed(request, signed)
    return Signature(key_id, region, service, signed_at, signed, parts["Signature"], expires)


def _check_signed(request: SignedRequest, signed: tuple[str, ...]) -> None:
    """Whatever could change what is asked must be signed; raises BadSignature."""
    names = {name for name, _ in request.headers}
    must = {"host"} | {name for name in names if name.startswith("x-amz-")}
    left_out = sorted(must - set(signed))
    if left_out:
        raise BadSignature(f"SignedHeaders: {', '.join(left_out)} must be among them")
    absent = sorted(set(signed) - names)
    if absent or len(set(signed)) != len(signed):
        raise BadSignature(f"SignedHeaders: {', '.join(absent) or 'a name'} named, but not sent once")
    segments = request.path.lower().replace("%2e", ".").split("/")[1:]
    if (
        not request.path.isascii()
        or any(segment in (".", "..") for segment in segments)
        or "" in segments[:-1]
    ):
        raise BadSignature("a path that is signed is ASCII and has no segment that is empty, '.' or '..'")
    if "x-amz-security-token" in names:
        raise BadSignature("x-amz-security-token: there are no sessions here, only access keys")
    request.header("host")


def _canonical_query(request: SignedRequest, signature: Signature) -> str:
    """As the routes read it, encoded as Amazon does: what is read alike is signed alike, and nothing else."""
    pairs = parse_qsl(request.query, keep_blank_values=True)
    left_out = None if signature.expires is None else _SIGNED_BY
    encoded = (
        (quote(name, safe="-_.~"), quote(value, safe="-_.~")) for name, value in pairs if name != left_out
    )
    return "&".join(f"{name}={value}" for name, value in encoded)


def _query(request: SignedRequest) -> dict[str, list[str]]:
    asked: dict[str, list[str]] = {}
    for name, value in parse_qsl(request.query, keep_blank_values=True):
        asked.setdefault(name, []).append(value)
    return asked


def _name(pair: str) -> str:
    return unquote_plus(pair.partition("=")[0])
