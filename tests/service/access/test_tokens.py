"""Tokens: those of our issuer, for us, good now; nobody else's, and none that only look like it."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import jwt
import pytest

from service.access.caller import Scope
from service.access.control import Asked
from service.access.issuer import AGAIN_SECONDS, FRESH_SECONDS, STALE_SECONDS, Issuer, IssuerAway
from service.access.refusals import UnknownKey
from service.access.tokens import MOST_CHARACTERS, Tokens
from tests.gates import ACCOUNT, Keys
from tests.issuers import CLIENT, TestIssuer, issuing, public_pem, rsa_key
from tests.service.access.guarded import Guarded
from tests.service.api.ground import grounded
from tests.stores import Store

CLAIMS = ("scope", "scp", "cognito:groups")


@dataclass
class Seconds:
    """A clock that tests set."""

    at: float = 1000.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture(scope="module")
def shared() -> Iterator[TestIssuer]:
    with issuing() as made:
        yield made


@pytest.fixture
def issuer(shared: TestIssuer) -> Iterator[TestIssuer]:
    keys = dict(shared.keys)
    shared.asked.clear()
    yield shared
    shared.keys, shared.broken = keys, False


@dataclass
class Taken:
    """Tokens as they are taken, by a clock for the issuer's keys."""

    issuer: TestIssuer
    seconds: Seconds = field(default_factory=Seconds)

    def __post_init__(self) -> None:
        issuer = Issuer(self.issuer.url, self.seconds)
        self.tokens = Tokens(issuer, frozenset({CLIENT, "other-client"}), CLAIMS, "overfly/", ACCOUNT)

    def scopes(self, token: str) -> set[Scope]:
        return set(self.tokens.caller(token).scopes)

    def refusal(self, token: str) -> str:
        with pytest.raises(UnknownKey) as refused:
            self.tokens.caller(token)
        return str(refused.value)


@pytest.fixture
def taken(issuer: TestIssuer) -> Taken:
    return Taken(issuer)


@pytest.fixture
def guarded(sqlite_store: Store, taken: Taken) -> Iterator[Guarded]:
    keys = Keys(sqlite_store.open())
    control = keys.control(Asked.ALL, taken.tokens)
    with grounded(sqlite_store, access=control) as ground:
        yield Guarded(ground, keys, control)
    keys.database.close()


def test_a_token_opens_both_faces_as_its_claims_say(guarded: Guarded, issuer: TestIssuer) -> None:
    bearer = {"Authorization": f"Bearer {issuer.token(scope='openid overfly/read overfly/write')}"}
    assert guarded.ask(None, "GET", "/v1/devices", headers=bearer).status_code == 200
    listed = guarded.ask(None, "POST", "/tracking/v0/list-trackers", headers=bearer, json={})
    assert [entry["TrackerName"] for entry in listed.json()["Entries"]] == ["default"]
    assert "needs admin" in guarded.refusal(403, None, "DELETE", "/v1/devices/x", headers=bearer)
    denied = guarded.ask(None, "POST", "/tracking/v0/trackers", headers=bearer, json={"TrackerName": "vans"})
    assert (denied.status_code, denied.headers["x-amzn-errortype"]) == (403, "AccessDeniedException")
    assert guarded.audit()[0].caller == "token ann"


def test_an_expired_or_strange_token_is_answered_with_what_to_do(
    guarded: Guarded, issuer: TestIssuer
) -> None:
    for token in (issuer.token(exp=1), "nonsense", "a.b.c"):
        answer = guarded.ask(None, "GET", "/v1/devices", headers={"Authorization": f"Bearer {token}"})
        assert (answer.status_code, answer.headers["www-authenticate"]) == (
            401,
            'Bearer realm="overfly", error="invalid_token"',
        )


def test_a_token_while_the_issuer_is_away_is_503(guarded: Guarded, issuer: TestIssuer) -> None:
    issuer.broken = True
    answer = guarded.ask(None, "GET", "/v1/devices", headers={"Authorization": f"Bearer {issuer.token()}"})
    assert (answer.status_code, "retry-after" in answer.headers) == (503, True)


@pytest.mark.parametrize(
    ("claims", "scopes"),
    [
        ({"scope": "overfly/read overfly/admin other/write"}, {Scope.READ, Scope.ADMIN}),
        ({"scope": None, "scp": ["overfly/write", 7]}, {Scope.WRITE}),
        ({"scope": None, "cognito:groups": ["overfly/admin", "pilots"]}, {Scope.ADMIN}),
        ({"scope": "read write admin"}, set()),
        ({"scope": "overfly/root overfly/ overfly/READ"}, set()),
        ({"scope": {"overfly/admin": True}}, set()),
        ({"scope": None}, set()),
    ],
)
def test_scopes_are_those_that_the_claims_name(
    taken: Taken, claims: dict[str, Any], scopes: set[Scope]
) -> None:
    assert taken.scopes(taken.issuer.token(**claims)) == scopes


def test_cognitos_access_tokens_say_by_client_id_whom_they_are_for(taken: Taken) -> None:
    cognitos = {"aud": None, "token_use": "access", "client_id": CLIENT}
    assert taken.scopes(taken.issuer.token(**cognitos)) == {Scope.READ}
    for change in (
        {"client_id": "another"},
        {"token_use": "id"},
        {"token_use": None},
        {"client_id": [CLIENT]},
    ):
        assert "another audience" in taken.refusal(taken.issuer.token(**{**cognitos, **change}))


@pytest.mark.parametrize(
    ("claims", "said"),
    [
        ({"aud": "somebody"}, "another audience"),
        ({"aud": ["somebody", "else"]}, "another audience"),
        ({"aud": None}, "another audience"),
        ({"aud": []}, "another audience"),
        ({"aud": {CLIENT: 1}}, "another audience"),
        ({"iss": "https://evil.example"}, "ssuer"),
        ({"iss": None}, "iss"),
        ({"exp": None}, "exp"),
        ({"exp": int(time.time()) - 120}, "expired"),
        ({"nbf": int(time.time()) + 86_400}, "not yet valid"),
        ({"sub": None}, "subject"),
    ],
)
def test_a_token_of_another_issuer_audience_or_time_is_refused(
    taken: Taken, claims: dict[str, Any], said: str
) -> None:
    assert said in taken.refusal(taken.issuer.token(**claims))


def test_clocks_may_differ_by_a_minute(taken: Taken) -> None:
    now = int(time.time())
    assert taken.scopes(taken.issuer.token(exp=now - 30, nbf=now + 30)) == {Scope.READ}


def unsigned(header: dict[str, Any], claims: dict[str, Any], secret: bytes | None = None) -> str:
    """A token made by hand: without a signature, or with an HMAC."""

    def text(value: bytes) -> str:
        return base64.urlsafe_b64encode(value).rstrip(b"=").decode()

    content = f"{text(json.dumps(header).encode())}.{text(json.dumps(claims).encode())}"
    signature = b"" if secret is None else hmac.digest(secret, content.encode(), hashlib.sha256)
    return f"{content}.{text(signature)}"


def test_none_hmac_and_keys_of_the_tokens_own_are_refused(taken: Taken) -> None:
    issuer = taken.issuer
    claims = jwt.decode(issuer.token(), options={"verify_signature": False})
    for algorithm in ("none", "None", "nOnE"):
        assert taken.refusal(unsigned({"alg": algorithm, "kid": "first"}, claims))
    for secret in (public_pem(issuer.keys["first"]), b""):
        assert taken.refusal(unsigned({"alg": "HS256", "kid": "first"}, claims, secret))
    own = rsa_key()
    jwk = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(own.public_key()))
    for header in ({"jwk": jwk}, {"jku": "http://127.0.0.1:1/keys"}, {}):
        assert taken.refusal(issuer.token(key=own, header=header))
    assert taken.refusal(issuer.token(key=own, key_id=None))
    assert taken.refusal(issuer.token("first", key=issuer.keys["curve"], algorithm="ES256"))
    assert "type" in taken.refusal(issuer.token(header={"typ": "logout+jwt"}))
    head, content, signature = issuer.token(sub="bob").split(".")
    _, others, _ = issuer.token(sub="ann").split(".")
    assert taken.refusal(f"{head}.{others}.{signature}")
    assert content


def test_other_algorithms_of_public_keys_are_taken(taken: Taken) -> None:
    for algorithm in ("RS512", "PS256"):
        assert taken.scopes(taken.issuer.token(algorithm=algorithm)) == {Scope.READ}
    assert taken.scopes(taken.issuer.token("curve", algorithm="ES256", header={"typ": "at+jwt"})) == {
        Scope.READ
    }


def test_a_token_that_is_too_long_is_not_read(taken: Taken) -> None:
    assert "characters" in taken.refusal(taken.issuer.token(name="x" * MOST_CHARACTERS))
    assert taken.issuer.asked == []


def test_keys_are_read_once_and_a_new_one_is_found(taken: Taken) -> None:
    issuer = taken.issuer
    for _ in range(3):
        taken.scopes(issuer.token())
    assert issuer.asked == ["/.well-known/openid-configuration", "/keys"]
    issuer.keys["second"] = rsa_key()
    assert taken.refusal(issuer.token("second"))  # they were read a moment ago
    taken.seconds.at += AGAIN_SECONDS
    assert taken.scopes(issuer.token("second")) == {Scope.READ}
    assert len(issuer.asked) == 4


def test_what_is_no_key_is_left_out_of_the_issuers(taken: Taken) -> None:
    rsa = {"kty": "RSA", "kid": "bad", "n": "AQAB", "e": "AQAB"}
    bad: list[object] = [
        None,
        "key",
        {},
        {"kty": ["RSA"]},
        {**rsa, "n": 1},
        {**rsa, "e": "*"},
        {"kty": "EC", "x": 1},
    ]
    taken.issuer.no_keys = bad
    try:
        assert taken.scopes(taken.issuer.token()) == {Scope.READ}
    finally:
        taken.issuer.no_keys = []


def test_made_up_keys_make_nobody_ask_the_issuer_often(taken: Taken) -> None:
    own = rsa_key()
    taken.scopes(taken.issuer.token())
    for number in range(20):
        assert taken.refusal(taken.issuer.token(f"made-up-{number}", key=own))
    assert len(taken.issuer.asked) == 2


def test_a_key_that_the_issuer_has_no_more_ends_when_keys_are_read_anew(taken: Taken) -> None:
    issuer = taken.issuer
    old = issuer.token()
    taken.scopes(old)
    issuer.keys = {"second": rsa_key()}
    assert taken.scopes(old) == {Scope.READ}
    taken.seconds.at += FRESH_SECONDS
    assert taken.refusal(old)


def test_while_the_issuer_is_away_known_keys_count_for_a_day(taken: Taken) -> None:
    issuer = taken.issuer
    taken.scopes(issuer.token())
    issuer.broken = True
    taken.seconds.at += FRESH_SECONDS
    assert taken.scopes(issuer.token()) == {Scope.READ}
    with pytest.raises(IssuerAway):
        taken.scopes(issuer.token("unknown", key=rsa_key()))
    taken.seconds.at += STALE_SECONDS
    with pytest.raises(IssuerAway):
        taken.scopes(issuer.token())
    issuer.broken = False
    taken.seconds.at += AGAIN_SECONDS
    assert taken.scopes(issuer.token()) == {Scope.READ}


def test_an_issuer_that_calls_itself_otherwise_is_not_believed(issuer: TestIssuer) -> None:
    strange = Issuer(issuer.url.replace("127.0.0.1", "localhost"), Seconds())
    with pytest.raises(IssuerAway):
        strange.key("first")
    assert issuer.asked == ["/.well-known/openid-configuration"]


def test_without_an_issuer_no_token_is_taken(
    guarded: Guarded, issuer: TestIssuer, sqlite_store: Store
) -> None:
    keys = Keys(sqlite_store.open())
    with grounded(sqlite_store, access=keys.control()) as ground:
        answer = httpx.get(
            f"{ground.client.base_url}/v1/devices", headers={"Authorization": f"Bearer {issuer.token()}"}
        )
    assert (answer.status_code, "no issuer" in answer.json()["detail"]) == (401, True)
    keys.database.close()
