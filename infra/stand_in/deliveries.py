"""The mails and text messages that SNS would send, after filtering, as lines of a file.

ministack writes them into its log only. A line is `{"time", "account", "protocol", "endpoint", "subject",
"message", "topicArn", "messageId"}`; a text message published straight to a telephone number has no topic.
"""

import json
import threading
import time
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from ministack.core.responses import get_account_id
from ministack.services import sns

PROTOCOLS = ("email", "email-json", "sms")

_publication: ContextVar[dict[str, str]] = ContextVar("publication", default={})  # noqa: B039 - never changed


def amend(file: Path) -> None:
    """Appends each delivery to `file`."""
    note = _Notebook(file).note
    fan_out, matches, publish = sns._fanout, sns._matches_filter_policy, sns._publish

    def fan_out_with_memory(
        topic_arn: str, msg_id: str, message: str, subject: str, *rest: Any, **options: Any
    ) -> None:
        about = {"subject": subject or "", "topicArn": topic_arn, "messageId": msg_id}
        before = _publication.set(about)
        try:
            fan_out(topic_arn, msg_id, message, subject, *rest, **options)
        finally:
            _publication.reset(before)

    def matches_and_is_noted(
        subscription: dict[str, Any], attributes: dict[str, Any], message: str = ""
    ) -> bool:
        matched = matches(subscription, attributes, message)
        if matched and subscription["protocol"] in PROTOCOLS:
            note(subscription["protocol"], subscription["endpoint"], message, _publication.get())
        return bool(matched)

    def publish_and_note(parameters: dict[str, Any]) -> Any:
        number = sns._p(parameters, "PhoneNumber")
        straight = number and not (sns._p(parameters, "TopicArn") or sns._p(parameters, "TargetArn"))
        answer = publish(parameters)
        if straight:
            note("sms", number, sns._p(parameters, "Message"), {})
        return answer

    sns._fanout, sns._matches_filter_policy, sns._publish = (
        fan_out_with_memory,
        matches_and_is_noted,
        publish_and_note,
    )


class _Notebook:
    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = threading.Lock()

    def note(self, protocol: str, endpoint: str, message: str, publication: dict[str, str]) -> None:
        line = json.dumps(
            {
                "time": time.time(),
                "account": get_account_id(),
                "protocol": protocol,
                "endpoint": endpoint,
                "subject": publication.get("subject", ""),
                "message": message,
                "topicArn": publication.get("topicArn", ""),
                "messageId": publication.get("messageId", ""),
            },
            ensure_ascii=False,
        )
        with self._lock, self._file.open("a", encoding="utf-8") as lines:
            lines.write(f"{line}\n")
