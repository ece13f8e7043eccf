"""Requests as they come over HTTP: paths, hosts, hostile bodies."""

import http.client
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.location.model import HOST_PREFIXES
from tests.amazon import ALL, same
from tests.service.api.ground import Ground, grounded
from tests.stores import SqliteStore


@pytest.fixture(scope="module")
def ground(migrated: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    """One for all: nothing is changed here."""
    with grounded(SqliteStore.copied(migrated, tmp_path_factory.mktemp("data"))) as made:
        yield made


def asked(ground: Ground, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, str, dict]:
    """Status, error type and members, of a request with just this path."""
    connection = http.client.HTTPConnection(ground.client.base_url.host, ground.client.base_url.port or 80)
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    content = json.loads(answer.read())
    connection.close()
    return answer.status, answer.getheader("x-amzn-ErrorType", ""), content


@same(ALL)
@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/tracking/v0/trackers/default", 200),
        ("/tracking/v0/trackers/%64efault", 200),
        ("/tracking/v0/trackers/%2564efault", 400),
        ("/tracking/v0/trackers/de%2Ffault", 400),
        ("/tracking/v0/trackers/%ff", 400),
        ("/tracking/v0/trackers/%00", 400),
        ("/tracking/v0/trackers/", 400),
        ("/tracking/v0/trackers/..%2f..%2fv1", 400),
        ("/tracking/v0/trackers/nobody", 404),
        ("/tracking/v0/trackers/default/", 400),
        ("/tracking/v0/nothing", 400),
        ("/places/v0/indexes/homes", 400),
        ("/metadata/v0/keys/mine", 400),
    ],
)
def test_a_path_is_decoded_once(ground: Ground, path: str, status: int) -> None:
    answered, error, content = asked(ground, "GET", path)
    assert answered == status
    assert error == {200: "", 400: "ValidationException", 404: "ResourceNotFoundException"}[status]
    if status == 400:
        assert set(content) == {"message", "reason", "fieldList"}


@same(ALL)
@pytest.mark.parametrize("prefix", ["", *HOST_PREFIXES])
def test_hosts_are_served_with_and_without_amazons_prefixes(ground: Ground, prefix: str) -> None:
    for host in ("127.0.0.1", "localhost:8080", "fleet.example"):
        assert asked(ground, "GET", "/tracking/v0/trackers/default", Host=prefix + host)[0] == 200
    for host in (f"{prefix}evil.example", "evil.tracking.localhost", "cp.tracking.cp.tracking.localhost"):
        assert asked(ground, "GET", "/tracking/v0/trackers/default", Host=host)[0] == 421


@same(ALL)
@pytest.mark.parametrize(
    "body",
    [
        b"null",
        b'"x"',
        b"{",
        b"\xff\xfe",
        b'{"MaxResults": "5"}',
        b'{"MaxResults": true}',
        b'{"MaxResults": 5.5}',
        b'{"MaxResults": 1e400}',
        b'{"MaxResults": 0}',
        b'{"MaxResults": 101}',
        b'{"MaxResults": 99999999999999999999999999}',
        b'{"MaxResults": 5, "MaxResults": 6}',
        b'{"NextToken": "\\ud800"}',
        b'{"NextToken": ""}',
        b'{"NextToken": "' + b"x" * 2001 + b'"}',
        b'{"a": ' * 5000 + b"1" + b"}" * 5000,
        b'{"a": ' + b"9" * 100_000 + b"}",
        b'{"NextToken": "' + b"x" * (1 << 20) + b'"}',
    ],
)
def test_a_hostile_body_is_a_validation_exception(ground: Ground, body: bytes) -> None:
    status, error, content = asked(ground, "POST", "/tracking/v0/list-trackers", body)
    assert (status, error) == (400, "ValidationException")
    assert content["reason"] in ("CannotParse", "FieldValidationFailed")


@same(ALL)
def test_an_empty_body_says_nothing_and_what_the_model_does_not_know_is_ignored(ground: Ground) -> None:
    for body in (b"", b"{}", b'{"Page": [1, null]}'):
        status, _, content = asked(ground, "POST", "/tracking/v0/list-trackers", body)
        assert (status, len(content["Entries"])) == (200, 1)
