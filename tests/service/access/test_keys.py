"""API keys: what opens the API and what does not, how often, and that none is kept."""

import base64
import inspect
import re

import httpx

from service.access import signatures, verifying
from service.access.caller import Scope
from service.access.control import Asked
from service.access.minting import api_key_id
from tests.amazon import ALL, differs
from tests.gates import Keys
from tests.service.access.guarded import Guarded
from tests.service.api.ground import grounded
from tests.stores import Store

MINUTE = 60_000


def test_a_key_opens_the_api_in_each_header_that_may_hold_it(guarded: Guarded) -> None:
    key = guarded.keys.make(Scope.READ)
    basic = base64.b64encode(f"anybody:{key.secret}".encode()).decode()
    for headers in (
        {"X-Api-Key": key.secret},
        {"Authorization": f"Bearer {key.secret}"},
        {"Authorization": f"bearer {key.secret}"},
        {"Authorization": f"Basic {basic}"},
    ):
        assert guarded.ask(None, "GET", "/v1/devices", headers=headers).status_code == 200
    assert guarded.ask(None, "HEAD", "/v1/devices", headers=headers).status_code == 200


def test_whatever_is_no_key_opens_nothing(guarded: Guarded) -> None:
    key = guarded.keys.make(Scope.ADMIN).secret
    other = guarded.keys.make(Scope.ADMIN).secret
    access = guarded.keys.make(Scope.ADMIN, kind="access")
    for headers in (
        {},
        {"X-Api-Key": ""},
        {"X-Api-Key": key[:-1]},
        {"X-Api-Key": key[:-1] + ("0" if key[-1] != "0" else "1")},
        {"X-Api-Key": key.upper()},
        {"X-Api-Key": key[:21] + other[21:]},
        {"X-Api-Key": f"{api_key_id(key)}"},
        {"X-Api-Key": access.secret},
        {"X-Api-Key": f"ovf_{'a' * 16}_{'0' * 64}"},
        {"X-Api-Key": key, "Authorization": f"Bearer {key}"},
        {"Authorization": key},
        {"Authorization": "Bearer"},
        {"Authorization": "Basic !"},
        {"Authorization": f"Digest {key}"},
        {"Cookie": f"key={key}"},
    ):
        sentence = guarded.refusal(401, None, "GET", "/v1/devices", headers=headers)
        assert key not in sentence
    assert "X-Api-Key" in guarded.refusal(401, None, "GET", f"/v1/devices?key={key}")
    assert httpx.get(f"{guarded.url}/v1/devices", headers=[("X-Api-Key", key)] * 2).status_code == 401


def test_a_key_ends_when_it_is_revoked_or_its_time_is_over(guarded: Guarded) -> None:
    admin = guarded.keys.make(Scope.ADMIN)
    ends = guarded.keys.make(Scope.READ, expires_time=guarded.keys.clock() + MINUTE)
    revoked = guarded.keys.make(Scope.READ)
    assert guarded.ask(revoked, "GET", "/v1/devices").status_code == 200
    assert guarded.ask(admin, "DELETE", f"/v1/keys/{revoked.row.key_id}").status_code == 204
    assert "revoked" in guarded.refusal(401, revoked, "GET", "/v1/devices")
    assert guarded.refusal(404, admin, "DELETE", f"/v1/keys/{revoked.row.key_id}")
    guarded.keys.clock.ahead = 2 * MINUTE
    assert "expired" in guarded.refusal(401, ends, "GET", "/v1/devices")


def test_a_revocation_elsewhere_is_known_within_seconds(sqlite_store: Store) -> None:
    seconds = [100.0]
    here, elsewhere = Keys(sqlite_store.open()), Keys(sqlite_store.open())
    here.ring._monotonic = lambda: seconds[0]
    key = here.make(Scope.READ)
    with grounded(sqlite_store, access=here.control()) as ground:
        ask = {"headers": {"X-Api-Key": key.secret}}
        assert ground.client.get("/v1/devices", **ask).status_code == 200
        with elsewhere.database.write() as connection:
            connection.exec_driver_sql("UPDATE access_key SET revoked_time = 1")
        assert ground.client.get("/v1/devices", **ask).status_code == 200
        seconds[0] += 5
        assert ground.client.get("/v1/devices", **ask).status_code == 401
    here.database.close()
    elsewhere.database.close()


def test_keys_are_made_and_listed_over_the_api_and_shown_once(guarded: Guarded) -> None:
    admin = guarded.keys.make(Scope.ADMIN)
    new = {"name": "gateway", "scopes": ["write"], "tags": {"fleet": "north"}, "rateLimit": 5}
    made = guarded.ask(admin, "POST", "/v1/keys", json=new).json()
    access = guarded.ask(admin, "POST", "/v1/keys", json={"name": "sdk", "kind": "access"}).json()
    assert re.fullmatch(r"ovf_\w{16}_\w{64}", made["apiKey"])
    assert (len(access["keyId"]), len(access["secretAccessKey"])) == (20, 40)
    listed = guarded.ask(admin, "GET", "/v1/keys").json()["items"]
    assert [(each["name"], each["scopes"], each["tags"]) for each in listed[1:]] == [
        ("gateway", ["write"], {"fleet": "north"}),
        ("sdk", ["read"], {}),
    ]
    shown = guarded.ask(admin, "GET", "/v1/keys").text + guarded.ask(admin, "GET", "/v1/audit").text
    assert made["apiKey"] not in shown
    assert access["secretAccessKey"] not in shown


CANNOT_BE: tuple[tuple[dict[str, object], str], ...] = (
    ({"name": ""}, "name"),
    ({"name": "x\u0000"}, "name"),
    ({"name": "x", "scopes": []}, "scopes"),
    ({"name": "x", "scopes": ["root"]}, "scopes"),
    ({"name": "x", "rateLimit": 0}, "rate limit"),
    ({"name": "x", "expiresTime": "2001-01-01T00:00:00Z"}, "expiry"),
    ({"name": "x", "expiresTime": "soon"}, "expiresTime"),
    ({"name": "x", "accountId": "12"}, "account"),
    ({"name": "x", "tags": {"": "1"}}, "tags"),
    ({"name": "x", "tags": {str(number): "" for number in range(51)}}, "tags"),
    ({"name": "x", "more": 1}, "more"),
)


def test_what_a_key_cannot_be_is_refused(guarded: Guarded) -> None:
    admin = guarded.keys.make(Scope.ADMIN)
    for new, said in CANNOT_BE:
        assert said in guarded.refusal(400, admin, "POST", "/v1/keys", json=new)


def test_no_key_and_no_secret_is_in_the_database(guarded: Guarded, sqlite_store: Store) -> None:
    made = [guarded.keys.make(Scope.READ), guarded.keys.make(Scope.READ, kind="access")]
    for key in made:
        guarded.ask(key, "GET", "/v1/devices")
    with guarded.keys.database.read() as connection:
        rows = connection.exec_driver_sql("SELECT * FROM access_key").all()
    text = str([tuple(row) for row in rows])
    assert all(key.secret not in text and key.secret[21:] not in text for key in made)


@differs("ThrottlingException counts for a key, not for an account and an operation.", ALL)
def test_a_key_is_answered_429_beyond_its_rate_and_others_are_not(guarded: Guarded) -> None:
    slow, other = guarded.keys.make(Scope.READ, rate_limit=3), guarded.keys.make(Scope.READ)
    answers = [guarded.ask(slow, "GET", "/v1/devices") for _ in range(12)]
    statuses = [answer.status_code for answer in answers]
    assert statuses[:3] == [200, 200, 200]
    assert 429 in statuses
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert int(refused.headers["retry-after"]) >= 1
    assert {guarded.ask(other, "GET", "/v1/devices").status_code for _ in range(12)} == {200}
    throttled = [guarded.ask(slow, "POST", "/tracking/v0/list-trackers", json={}) for _ in range(6)][-1]
    assert (throttled.status_code, throttled.headers["x-amzn-errortype"]) == (429, "ThrottlingException")


def test_when_a_key_was_used_last_is_known(guarded: Guarded) -> None:
    admin, never = guarded.keys.make(Scope.ADMIN), guarded.keys.make(Scope.READ)
    guarded.ask(admin, "GET", "/v1/devices")
    guarded.control.audit.write_gathered()
    used = {
        key["keyId"]: key["lastUsedTime"] for key in guarded.ask(admin, "GET", "/v1/keys").json()["items"]
    }
    assert used[admin.row.key_id] is not None
    assert used[never.row.key_id] is None


def test_secrets_are_compared_in_constant_time() -> None:
    """What an attacker could measure is compared by hmac.compare_digest, and by nothing else."""
    for function, compared in (
        (signatures.check_signature, "hmac.compare_digest(expected, signature.value)"),
        (verifying.Verifier.holder, "hmac.compare_digest(api_key_digest(key.text), digest)"),
        (verifying.Verifier.signer, "hmac.compare_digest(keys_secret_digest(secret), row.digest)"),
    ):
        source = inspect.getsource(function)
        assert source.count(compared) == 1
        assert not re.search(r"(digest|expected|signature\.value|secret)\b\)? (==|!=)", source)


def test_on_this_machine_nobody_is_asked_but_what_is_offered_is_verified(sqlite_store: Store) -> None:
    keys = Keys(sqlite_store.open())
    with grounded(sqlite_store, access=keys.control(Asked.STRANGERS)) as ground:
        url = f"{ground.client.base_url}/v1/devices"
        invented = {"X-Api-Key": "invented"}
        assert httpx.get(url).status_code == 200
        assert httpx.get(url, headers=invented).status_code == 200  # nothing knows any key
        key = keys.make(Scope.READ)
        assert httpx.get(url).status_code == 200
        assert httpx.get(url, headers=invented).status_code == 401
        assert httpx.delete(f"{url}/x", headers={"X-Api-Key": key.secret}).status_code == 403
        for header in ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP", "Via"):
            answer = httpx.get(url, headers={header: "203.0.113.7"})
            assert (answer.status_code, "OVERFLY_AUTH=off" in answer.json()["detail"]) == (401, True)
    with grounded(sqlite_store, access=keys.control(Asked.NOBODY)) as ground:
        url = f"{ground.client.base_url}/v1/devices"
        assert httpx.get(url, headers={"X-Forwarded-For": "203.0.113.7", **invented}).status_code == 200
    keys.database.close()


def test_a_telephone_that_knows_only_a_url_says_its_key_there_and_nobody_records_it(guarded: Guarded) -> None:
    key = guarded.keys.make(Scope.WRITE)
    asked = f"/osmand?id=phone&lat=46&lon=7&timestamp=1533099600&key={key.secret}"
    assert guarded.ask(None, "GET", asked).status_code == 200
    assert guarded.ask(None, "GET", asked[:-1]).status_code == 401
    assert guarded.ask(None, "GET", asked.split("&key", maxsplit=1)[0]).status_code == 401
    assert guarded.ask(None, "GET", f"{asked}&key={key.secret}").status_code == 401
    (entry,) = guarded.audit()
    assert (entry.operation, key.secret in entry.target) == ("get_osmand", False)
