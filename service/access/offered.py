"""What a request offers to say who sends it: a signature, a key or a token; never more than one of them."""

import base64
import binascii
import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl

from service.access.minting import api_key_id
from service.access.refusals import BadSignature, UnknownKey
from service.access.signatures import Signature, SignedRequest, read_signature

_BASIC: Final = re.compile(r"basic ([A-Za-z0-9+/]+=*)", re.IGNORECASE)
_BEARER: Final = re.compile(r"bearer ([A-Za-z0-9._~+/-]+=*)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ApiKey:
    """key_id: what names it."""

    text: str
    key_id: str


@dataclass(frozen=True, slots=True)
class Token:
    """A JSON Web Token, or what claims to be one."""

    text: str


Offered = Signature | ApiKey | Token


KEY_IN_QUERY: Final = "key"


def offered(request: SignedRequest, *, key_in_query: bool = False) -> Offered | None:
    """None where nothing is offered. Raises BadSignature, UnknownKey for what is nothing of ours.

    A key is in the header X-Api-Key, or Authorization: Bearer, or the password of Authorization: Basic,
    whose user may be anything: programs that know no other header. From the query, which logs keep, it is
    taken only where `key_in_query`: of apps that can be given a URL and nothing else.
    """
    authorization, api_key = request.header("authorization"), request.header("x-api-key")
    signature = read_signature(request)
    in_query = [value for name, value in parse_qsl(request.query) if key_in_query and name == KEY_IN_QUERY]
    count = len(in_query) + sum(each is not None for each in (signature or authorization, api_key))
    if count > 1 or (signature is not None and signature.expires is not None and authorization is not None):
        raise BadSignature("who calls is said twice: expected one signature, key or token")
    if signature is not None:
        return signature
    if in_query:
        return _api_key(in_query[0])
    if api_key is not None:
        return _api_key(api_key)
    if authorization is None:
        return None
    bearer = _BEARER.fullmatch(authorization)
    if bearer is not None:
        return _api_key(bearer[1]) if bearer[1].startswith("ovf_") else Token(bearer[1])
    basic = _BASIC.fullmatch(authorization)
    if basic is not None:
        try:
            return _api_key(base64.b64decode(basic[1], validate=True).decode().partition(":")[2])
        except (binascii.Error, UnicodeDecodeError):
            pass
    raise UnknownKey(
        "Authorization: expected AWS4-HMAC-SHA256, Bearer with a token or an API key, or Basic with one"
    )


def _api_key(text: str) -> ApiKey:
    key_id = api_key_id(text)
    if key_id is None:
        raise UnknownKey("API key: expected ovf_<16 letters>_<64 hexadecimal digits>")
    return ApiKey(text, key_id)
