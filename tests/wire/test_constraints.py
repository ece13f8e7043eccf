"""Every constraint of the model, at its edge and one past it, of every operation."""

import http.client
import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from service.location.faults import faults
from service.location.model import MODEL
from service.location.routes import FUNCTIONS
from tests.service.api.ground import grounded
from tests.stores import SqliteStore
from tests.wire.constraints import probes, sent

CONSTRAINTS = ("missing", "expected")
"""What messages about the model's constraints begin with."""


def unlike(shape: str, content: Any) -> list[object]:
    """How an answer differs from its shape in the model: constraints, and members that are not in it."""
    said = MODEL.shapes[shape]
    found: list[object] = list(faults(MODEL, shape, content))
    if said.type == "structure":
        found += [name for name in content if name not in said.members]
        inner = [(said.members[name].shape, value) for name, value in content.items() if name in said.members]
        return found + [each for of, value in inner for each in unlike(of, value)]
    if said.type == "list":
        return found + [each for value in content for each in unlike(str(said.member), value)]
    return found


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[http.client.HTTPConnection]:
    with grounded(SqliteStore.made(tmp_path_factory.mktemp("data"))) as ground:
        url = ground.client.base_url
        yield http.client.HTTPConnection(url.host, url.port)


@pytest.mark.parametrize("operation", list(FUNCTIONS))
def test_a_value_at_the_edge_fits_and_one_past_it_is_named(
    connection: http.client.HTTPConnection, operation: str
) -> None:
    tried: Counter[bool] = Counter()
    for probe in probes(operation):
        connection.request(*sent(operation, probe.value))
        answer = connection.getresponse()
        content = json.loads(answer.read())
        named = {field["name"]: field["message"] for field in content.get("fieldList", [])}
        error = (answer.status, answer.getheader("x-amzn-ErrorType"))
        where = f"{probe.path} {probe.said}: {answer.status} {str(content)[:500]}"
        assert answer.status < 500, where
        if probe.fits:
            assert not named.get(probe.path, "").startswith(CONSTRAINTS), where
            assert answer.status != 200 or unlike(MODEL.operations[operation].output, content) == [], where
        else:
            assert error == (400, "ValidationException"), where
            assert named.get(probe.path, "").startswith((*CONSTRAINTS, "key: expected")), where
            reason = "Missing" if probe.said == "missing" else "FieldValidationFailed"
            assert content["reason"] == reason, where
        tried[probe.fits] += 1
    assert tried[False] >= 2
