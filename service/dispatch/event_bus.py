"""An EventBridge bus: events become entries as PutEvents takes them.

https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
"""

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import msgspec
import structlog

from ingest.aws.clients import AwsClientError, Timeouts, client
from ingest.aws.faults import AwsError, denied, sentence
from ingest.timestamps import EPOCH
from service.dispatch.aws_batches import REASON_LENGTH, REQUEST_BYTES, TIMEOUTS, AwsBatches, Entry
from service.dispatch.outcomes import DeliveryOutcome, Sent, Temporary
from service.dispatch.visible_text import visible
from service.errors import SettingsError
from service.location.arns import COLLECTION, TRACKER, Home

BUS: Final = re.compile(
    r"(?P<home>arn:(?P<partition>aws[a-z-]*):events:(?P<region>[a-z0-9-]+):(?P<account>\d{12}):event-bus/)?"
    r"[/.\-_A-Za-z0-9]{1,256}"
)
TIME_BYTES: Final = 14
"""What PutEvents counts for an entry's Time."""
DROPPED: Final = ("PositionProperties", "GeofenceProperties")
"""What an entry over the size limit goes without, in this order."""
LOOKED_AT_SECONDS: Final = 60.0
"""How long a bus that was there is taken to be there. PutEvents takes events for one that is not, and drops
them: https://github.com/aws/aws-cli/issues/9186"""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class BusEvent:
    """An event for the bus; `time` in ms.

    `collection` is None where it is of no geofence, `tracker` where it was found by the collection's own.
    """

    key: int
    time: int
    detail_type: str
    detail: Mapping[str, Any]
    tracker: str | None
    collection: str | None = None


class EventBus:
    """The bus by its name or ARN, and the `source` that our events bear. Connected at the first put."""

    def __init__(
        self, bus: str, source: str, timeouts: Timeouts = TIMEOUTS, home: Home | None = None
    ) -> None:
        """home: where trackers and collections are; None: where the bus is. Raises SettingsError."""
        match = BUS.fullmatch(bus)
        if match is None:
            raise SettingsError(
                f"{bus!r} is no event bus: expected its name, or arn:aws:events:...:event-bus/name"
            )
        try:
            self.client = client("events", region=match["region"], timeouts=timeouts)
        except AwsClientError as error:
            raise SettingsError(str(error)) from None
        self.name = bus
        self._source = source
        self._given_home = home
        self._home: Home | None = None
        """The bus's own, known once it was looked at."""
        self._looked_at = -LOOKED_AT_SECONDS
        self._batches = AwsBatches(f"event bus {bus}", self._send)

    def put(self, events: Sequence[BusEvent]) -> dict[int, DeliveryOutcome]:
        """Puts events of different devices on the bus; answers for all of them, by key."""
        trouble = self._trouble()
        if trouble or self._home is None:
            return {each.key: Temporary(trouble) for each in events}
        home = self._given_home or self._home
        return self._batches.outcomes([self._entry(each, home) for each in events])

    def close(self) -> None:
        self._batches.close()
        self.client.close()

    def _trouble(self) -> str:
        """Why nothing can be put now, or ''."""
        if time.monotonic() - self._looked_at < LOOKED_AT_SECONDS:
            return ""
        try:
            self._home = self._looked_up()
        except AwsError as error:
            return visible(f"event bus {self.name}: {sentence(error)}", REASON_LENGTH)
        self._looked_at = time.monotonic()
        return ""

    def _looked_up(self) -> Home:
        """Where the bus is. One that we may not look at is taken to be there, and so is one by its ARN, which
        may be another account's."""
        arn = self.name
        if not arn.startswith("arn:"):
            try:
                arn = str(self.client.describe_event_bus(Name=self.name)["Arn"])
            except AwsError as error:
                if not denied(error):
                    raise
                arn = self._own_arn()
        partition, _, region, account = arn.split(":")[1:5]
        return Home(account, region, partition)

    def _own_arn(self) -> str:
        region = self.client.meta.region_name
        caller = client("sts", region=region).get_caller_identity()
        return f"arn:{caller['Arn'].split(':')[1]}:events:{region}:{caller['Account']}"

    def _send(self, batch: Sequence[Entry]) -> dict[int, DeliveryOutcome]:
        answer = self.client.put_events(Entries=[each.content for each in batch])
        outcomes: dict[int, DeliveryOutcome] = {}
        for each, said in zip(batch, answer.get("Entries", ()), strict=False):
            if "ErrorCode" in said:
                outcomes[each.key] = self._batches.refusal(said["ErrorCode"], said.get("ErrorMessage"))
                self._looked_at = -LOOKED_AT_SECONDS
            elif "EventId" in said:
                outcomes[each.key] = Sent(f"event bus {self.name}: accepted as {said['EventId']}{each.note}")
        return outcomes

    def _entry(self, event: BusEvent, home: Home) -> Entry:
        named = {COLLECTION: event.collection, TRACKER: event.tracker}
        content = {
            "Time": EPOCH + timedelta(milliseconds=event.time),
            "Source": self._source,
            "DetailType": event.detail_type,
            "Resources": [home.arn(kind, name) for kind, name in named.items() if name is not None],
            "EventBusName": self.name,
        }
        detail = _json(event.detail)
        size = whole = _size(content, detail)
        without: list[str] = []
        for name in DROPPED:
            if size < REQUEST_BYTES:
                break
            without.append(name)
            detail = _json({key: value for key, value in event.detail.items() if key not in without})
            size = _size(content, detail)
        note = ""
        if without:
            note = f" without {' and '.join(without)}: {whole:,} bytes, a bus takes {REQUEST_BYTES - 1:,}"
            log.warning("dispatch.properties_dropped", bus=self.name, device_id=event.detail["DeviceId"])
        return Entry(event.key, {**content, "Detail": detail}, size, note)


def _json(detail: Mapping[str, Any]) -> str:
    return msgspec.json.encode(detail).decode()


def _size(content: Mapping[str, Any], detail: str) -> int:
    """As AWS counts an entry:
    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html#eb-putevent-size"""
    texts = (content["Source"], content["DetailType"], *content["Resources"], detail)
    return TIME_BYTES + sum(len(each.encode()) for each in texts)
