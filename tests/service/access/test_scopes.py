"""Scopes: what each caller may do is one table, which has every route there is."""

import importlib
import pkgutil
from collections.abc import Iterator

import botocore.session
import pytest

import service.api
from service.access.all_rules import RULES
from service.access.caller import Scope
from service.access.location_rules import LOCATION
from service.access.rules import OURS, Audited, Rule
from service.api import iot_data
from service.api.app import NOUNS
from tests.service.access.guarded import Guarded, sent_raw

VALUES = {
    "{tracker_name}": "nothing",
    "{collection_name}": "nothing",
    "{device_id}": "x",
    "{geofence_id}": "x",
}


def path_of(rule: Rule) -> str:
    """A path that it is about; of what is not there."""
    path = rule.path.replace("{key_id}", "ovf_none").replace("{topic+}", "aircraft%2Fx%2Fposition")
    for name, value in VALUES.items():
        path = path.replace(name, value)
    return path


def test_every_route_has_its_rule_and_every_rule_its_route(guarded: Guarded) -> None:
    served = set(_routes())
    documented = {
        (method.upper(), path)
        for path, operations in guarded.ground.app.openapi()["paths"].items()
        for method in operations
    }
    published = ("POST", "/topics/{topic}")
    assert documented - {published} <= served
    assert served == {(rule.method, rule.path) for rule in OURS} - {("GET", "/"), ("GET", "/openapi.json")}
    assert RULES.find(*published) is not None


def _routes() -> Iterator[tuple[str, str]]:
    """Method and path of each route of ours, but for those of topics."""
    for found in pkgutil.iter_modules(service.api.__path__):
        module = importlib.import_module(f"service.api.{found.name}")
        if module is iot_data or not hasattr(module, "router"):
            continue
        for route in module.router.routes:
            for method in route.methods - {"HEAD"}:
                yield method, ("/v1" if module in NOUNS else "") + route.path


def test_each_operation_of_amazons_has_its_rule_at_its_path() -> None:
    model = botocore.session.get_session().get_service_model("location")
    for rule in LOCATION:
        http = model.operation_model(rule.operation).http
        assert (rule.method, rule.path) == (http["method"], http["requestUri"])
    assert len({rule.operation for rule in LOCATION}) == 30


def test_what_changes_anything_is_on_the_record_and_what_only_asks_is_not() -> None:
    asks = {"list", "get", "describe", "batchget", "verify", "forecast"}
    for rule in (*OURS, *LOCATION):
        only_asks = rule.scope in (None, Scope.READ) or rule.operation in ("list_keys", "list_audit")
        assert (rule.audited is Audited.NOT) == only_asks, rule.operation
        if only_asks and rule.amazon:
            assert any(rule.operation.lower().startswith(word) for word in asks), rule.operation


@pytest.mark.parametrize("scope", Scope)
def test_a_scope_opens_what_needs_it_and_nothing_else(guarded: Guarded, scope: Scope) -> None:
    key = guarded.keys.make(scope)
    for rule in (*OURS, *LOCATION):
        if rule.scope is None or rule.strangers:
            continue
        answer = guarded.ask(key, rule.method, path_of(rule), content=b"{}", follow_redirects=False)
        may = rule.scope is scope or scope is Scope.ADMIN
        assert (answer.status_code == 403) != may, (rule.operation, answer.text)
        assert answer.status_code < 500
        if not may and rule.amazon:
            assert answer.headers["x-amzn-errortype"] == "AccessDeniedException"


def test_a_stranger_gets_health_readiness_and_nothing_else(guarded: Guarded) -> None:
    for rule in (*OURS, *LOCATION):
        answer = guarded.ask(None, rule.method, path_of(rule), content=b"{}", follow_redirects=False)
        if rule.scope is None or rule.strangers:
            assert answer.status_code in (200, 307), rule.operation
        else:
            assert answer.status_code == (403 if rule.amazon else 401), rule.operation
            assert rule.amazon or "WWW-Authenticate" in answer.headers
    assert guarded.ask(None, "GET", "/v1/ready").json() == {"ready": True, "dependencies": {}}
    assert guarded.ask(None, "GET", "/docs").headers["www-authenticate"].startswith("Basic")


SPELLINGS = (
    "/v1/%6beys",
    "/v1/./keys",
    "/v1/devices/../keys",
    "/v1/devices/%2e%2e/keys",
    "/v1/devices%2F..%2Fkeys",
    "/v1//keys",
    "//v1/keys",
    "/v1/keys/",
    "/V1/keys",
    "/v1/keys%00",
    "/v1/keys;x",
    "/v1/keys?tracker=default",
    "/tracking/v0/../../v1/keys",
    "/v1/health/../keys",
    "/docs/../v1/keys",
    "/topics/../v1/keys",
)


def test_no_spelling_of_a_path_opens_what_it_does_not(guarded: Guarded) -> None:
    reader = guarded.keys.make(Scope.READ)
    for path in SPELLINGS:
        for headers in ({}, {"X-Api-Key": reader.secret}):
            status, content = sent_raw(guarded.url, "GET", path, headers)
            assert status in (400, 401, 403, 404), (path, status, content)
            assert b"keyId" not in content
