"""Events published to an SNS topic, and text messages that SNS sends.

https://docs.aws.amazon.com/sns/latest/api/API_PublishBatch.html
"""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from geofence.events import EVENT_TYPES
from ingest.aws.clients import AwsClientError, Timeouts, client
from ingest.aws.faults import AwsError, sentence, temporary
from service.dispatch.aws_batches import REASON_LENGTH, TIMEOUTS, AwsBatches, Entry
from service.dispatch.crossing import crossing, readable_time
from service.dispatch.gathering import AtIntervals, EachEvent
from service.dispatch.lanes import outcomes_by_lane
from service.dispatch.outcomes import DeliveryOutcome, Permanent, Sent, Temporary
from service.dispatch.text_message import TOLD, text_message
from service.dispatch.visible_text import visible
from service.errors import SettingsError
from service.store.alerts import PENDING_AT_ONCE, PendingAlert
from service.store.database import Database
from service.store.reading.alert_events import WholeEvent, gathered_events, whole_events

TOPIC: Final = re.compile(r"arn:aws[a-z-]*:sns:(?P<region>[a-z0-9-]+):\d{12}:[A-Za-z0-9_-]{1,256}(\.fifo)?")
NUMBER: Final = re.compile(r"\+[1-9][0-9]{1,14}")
"""E.164: https://www.itu.int/rec/T-REC-E.164"""
SUBJECT_LENGTH: Final = 99
TRANSACTIONAL: Final = {"AWS.SNS.SMS.SMSType": {"DataType": "String", "StringValue": "Transactional"}}
"""Of SNS's two kinds of text messages the one that is to arrive, not the cheap one."""


class SnsChannel:
    """Publishes each event by itself: its native form with a sentence, and attributes to filter by."""

    kind = "sns"
    round_size = PENDING_AT_ONCE

    def __init__(self, topic_arn: str, public_url: str) -> None:
        """Raises SettingsError."""
        self._client = topic_client(topic_arn)
        self.gathering = EachEvent(self.kind, lambda _collection, _geofence_id: topic_arn)
        self._topic_arn = topic_arn
        self._public_url = public_url
        self._batches = AwsBatches(topic_arn, self._send)

    def deliver(self, database: Database, alerts: Sequence[PendingAlert]) -> Mapping[int, DeliveryOutcome]:
        with database.read() as connection:
            events = dict(whole_events(connection, [alert.key for alert in alerts]))
        return outcomes_by_lane(alerts, events, self._publish)

    def rest(self) -> None:
        """Needs nothing while nothing is to be sent."""

    def close(self) -> None:
        self._batches.close()
        self._client.close()

    def _publish(self, told: Sequence[tuple[PendingAlert, WholeEvent]]) -> Mapping[int, DeliveryOutcome]:
        return self._batches.outcomes([self._entry(alert.key, event) for alert, event in told])

    def _send(self, batch: Sequence[Entry]) -> dict[int, DeliveryOutcome]:
        answer = self._client.publish_batch(
            TopicArn=self._topic_arn, PublishBatchRequestEntries=[each.content for each in batch]
        )
        outcomes: dict[int, DeliveryOutcome] = {
            int(each["Id"]): Sent(f"{self._topic_arn}: accepted as {each['MessageId']}")
            for each in answer.get("Successful", ())
        }
        for each in answer.get("Failed", ()):
            outcomes[int(each["Id"])] = self._batches.refusal(each["Code"], each.get("Message"))
        return outcomes

    def _entry(self, key: int, event: WholeEvent) -> Entry:
        told = event.told
        crossed = crossing(told, self._public_url)
        text = f"{crossed.headline}, {readable_time(told.sample_time)}"
        message = json.dumps({"text": text, **event.native}, ensure_ascii=False)
        attributes = {
            "eventType": EVENT_TYPES[told.entered],
            "geofenceId": told.geofence_id,
            "collection": told.collection_name,
            "deviceId": told.device_id,
        }
        content: dict[str, Any] = {
            "Id": str(key),
            "Subject": visible(crossed.short, SUBJECT_LENGTH),
            "Message": message,
            "MessageAttributes": {
                name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()
            },
        }
        if self._topic_arn.endswith(".fifo"):
            content["MessageGroupId"] = _group(told.device_id)
            content["MessageDeduplicationId"] = event.native["eventId"]
        counted = (message, *attributes, *attributes.values(), "String" * len(attributes))
        return Entry(key, content, sum(len(each.encode()) for each in counted))


class SmsChannel:
    """Text messages to one telephone number: at most one in `interval` ms."""

    kind = "sms"
    round_size = 1

    def __init__(self, number: str, interval: int) -> None:
        """Raises SettingsError."""
        if not NUMBER.fullmatch(number):
            raise SettingsError(
                f"{number!r} is no telephone number: expected + and country code, up to 15 digits and no "
                "spaces, such as +41791234567"
            )
        self.gathering = AtIntervals(self.kind, number, interval)
        self._number = number
        self._client = sns_client()

    def deliver(self, database: Database, alerts: Sequence[PendingAlert]) -> Mapping[int, DeliveryOutcome]:
        return {alert.key: self._deliver(database, alert) for alert in alerts}

    def rest(self) -> None:
        """Needs nothing while nothing is to be sent."""

    def close(self) -> None:
        self._client.close()

    def _deliver(self, database: Database, alert: PendingAlert) -> DeliveryOutcome:
        with database.read() as connection:
            events = gathered_events(connection, alert.key, TOLD)
        if not events.native:
            return Permanent("its events are forgotten")
        try:
            answer = self._client.publish(
                PhoneNumber=self._number, Message=text_message(events), MessageAttributes=TRANSACTIONAL
            )
        except AwsError as error:
            kind = Temporary if temporary(error) else Permanent
            return kind(visible(f"SNS: {sentence(error)}", REASON_LENGTH))
        return Sent(f"SNS: accepted as {answer['MessageId']}")


def topic_client(topic_arn: str, timeouts: Timeouts = TIMEOUTS) -> Any:
    """A client of SNS where the topic is. Raises SettingsError."""
    match = TOPIC.fullmatch(topic_arn)
    if match is None:
        raise SettingsError(f"{topic_arn!r} is no SNS topic: expected arn:aws:sns:<region>:<account>:<name>")
    return sns_client(match["region"], timeouts)


def sns_client(region: str | None = None, timeouts: Timeouts = TIMEOUTS) -> Any:
    """A client of SNS in the region, or in that of boto3's configuration. Raises SettingsError."""
    try:
        return client("sns", region=region, timeouts=timeouts)
    except AwsClientError as error:
        raise SettingsError(str(error)) from None


def _group(device_id: str) -> str:
    """A message group has up to 128 ASCII characters, a device's id may have other letters."""
    return device_id if device_id.isascii() else hashlib.sha256(device_id.encode()).hexdigest()
