"""Events published to an SNS topic.

https://docs.aws.amazon.com/sns/latest/api/API_PublishBatch.html
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from service.dispatch.aws_batches import AwsBatches, Entry
from service.dispatch.crossing import crossing, readable_time
from service.dispatch.gathering import EachEvent
from service.dispatch.lanes import outcomes_by_lane
from service.dispatch.outcomes import DeliveryOutcome, Sent
from service.dispatch.sns_clients import topic_client
from service.dispatch.visible_text import visible
from service.store.alerts import PENDING_AT_ONCE, PendingAlert
from service.store.database import Database
from service.store.reading.alert_events import WholeEvent, whole_events

SUBJECT_LENGTH: Final = 99


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
            "eventType": told.event_type,
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


def _group(device_id: str) -> str:
    """A message group has up to 128 ASCII characters, a device's id may have other letters."""
    return device_id if device_id.isascii() else hashlib.sha256(device_id.encode()).hexdigest()
