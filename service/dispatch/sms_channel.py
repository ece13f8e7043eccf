"""Text messages that SNS sends.

https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
"""

import re
from collections.abc import Mapping, Sequence
from typing import Final

from ingest.aws.faults import AwsError, sentence, temporary
from service.dispatch.aws_batches import REASON_LENGTH
from service.dispatch.gathering import AtIntervals
from service.dispatch.outcomes import DeliveryOutcome, Permanent, Sent, Temporary
from service.dispatch.sns_clients import sns_client
from service.dispatch.text_message import TOLD, text_message
from service.dispatch.visible_text import visible
from service.errors import SettingsError
from service.store.alerts import PendingAlert
from service.store.database import Database
from service.store.reading.alert_events import gathered_events

NUMBER: Final = re.compile(r"\+[1-9][0-9]{1,14}")
"""E.164: https://www.itu.int/rec/T-REC-E.164"""
TRANSACTIONAL: Final = {"AWS.SNS.SMS.SMSType": {"DataType": "String", "StringValue": "Transactional"}}
"""Of SNS's two kinds of text messages the one that is to arrive, not the cheap one."""


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
