"""The API keeps what its OpenAPI document says, for requests of all kinds made from that document."""

import pytest
import schemathesis
from hypothesis import HealthCheck, given, note, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.service.api.ground import Ground, feature_collection, position, square

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
EXAMPLES = 8
"""Requests of each kind for each operation."""


@pytest.mark.parametrize("mode", GenerationMode)
def test_every_answer_is_as_documented(ground: Ground, mode: GenerationMode) -> None:
    ground.client.post("/v1/geofences", json=feature_collection(square("alps", 10, 46)))
    ground.post_positions(position("x", "05:00:00", 10.5, 46.5), position("x", "05:00:01", 20, 46.5))
    ground.client.post("/v1/positions", content=b"{")
    schema = schemathesis.openapi.from_url(f"{ground.client.base_url}/openapi.json")
    operations = [result.ok() for result in schema.get_all_operations()]
    assert len(operations) == 42
    for operation in operations:
        if mode is GenerationMode.NEGATIVE and not (
            operation.path_parameters or operation.query or operation.body
        ):
            continue  # there is nothing that a request could get wrong
        _answers_as_documented(operation, mode)


def _answers_as_documented(operation: schemathesis.APIOperation, mode: GenerationMode) -> None:
    @given(operation.as_strategy(generation_mode=mode))
    @settings(max_examples=EXAMPLES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    def answers(case: schemathesis.Case) -> None:
        note(operation.label)
        case.call_and_validate(checks=CHECKS)

    answers()
