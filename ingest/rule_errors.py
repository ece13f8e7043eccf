"""What an AWS IoT rule could not deliver, as its error action notes it, and how it is tried again.

It is published to the rule itself by Basic Ingest: no other subscriber hears of it, and the rule sees the
topic that it came by first.
https://docs.aws.amazon.com/iot/latest/developerguide/rule-error-handling.html
https://docs.aws.amazon.com/iot/latest/developerguide/iot-basic-ingest.html
"""

from dataclasses import dataclass
from typing import Any, Final

import msgspec


@dataclass(frozen=True, slots=True)
class RuleError:
    """The rule, the topic and payload of the message, and why each action failed."""

    rule: str
    topic: str
    payload: bytes
    reasons: tuple[str, ...]

    @classmethod
    def read(cls, body: str) -> "RuleError | None":
        """None where the body is no document of an error action."""
        try:
            document = _DECODER.decode(body)
        except (ValueError, RecursionError):
            return None
        reasons = tuple(failure.errorMessage for failure in document.failures)
        return cls(document.ruleName, document.topic, document.base64OriginalPayload, reasons)

    def try_again(self, iot_data: Any) -> None:
        """`iot_data` is a boto3 client of the rule's account. Raises AwsError."""
        iot_data.publish(topic=f"$aws/rules/{self.rule}/{self.topic}", qos=1, payload=self.payload)


class _Failure(msgspec.Struct):
    errorMessage: str = ""  # noqa: N815 - the members' names


class _Document(msgspec.Struct):
    ruleName: str  # noqa: N815
    topic: str
    base64OriginalPayload: bytes  # noqa: N815
    failures: list[_Failure] = []


_DECODER: Final = msgspec.json.Decoder(_Document)
