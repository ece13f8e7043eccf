"""Documents of an AWS IoT rule's error action."""

import base64
import json

import pytest

from ingest.rule_errors import RuleError

DOCUMENT = {
    "ruleName": "overfly_positions",
    "topic": "aircraft/a/position",
    "cloudwatchTraceId": "1",
    "clientId": "a",
    "base64OriginalPayload": base64.b64encode(b"\xff{}").decode(),
    "failures": [{"failedAction": "SqsAction", "failedResource": "q", "errorMessage": "AccessDenied"}],
}


def test_document_gives_rule_topic_payload_and_reasons() -> None:
    expected = RuleError("overfly_positions", "aircraft/a/position", b"\xff{}", ("AccessDenied",))
    assert RuleError.read(json.dumps(DOCUMENT)) == expected


@pytest.mark.parametrize(
    "body",
    [
        "no JSON",
        "[]",
        json.dumps({**DOCUMENT, "base64OriginalPayload": "%"}),
        json.dumps({name: value for name, value in DOCUMENT.items() if name != "ruleName"}),
        '{"ruleName":' + "[" * 100_000,
    ],
)
def test_anything_else_is_none(body: str) -> None:
    assert RuleError.read(body) is None
