"""DevicePositionUpdates of a request: read into columns, and what is answered of those that are not taken."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
import numpy as np

from ingest.decoding.altitudes import altitude_of
from ingest.decoding.decoder import Decode, Decoded, DecodeLimits, batch_of
from ingest.decoding.device_positions import Bounds, Row, device_position
from ingest.decoding.faults import Fault
from ingest.decoding.properties import canonical
from ingest.decoding.rejects import MessageRejects
from ingest.messages import Message
from ingest.timestamps import iso
from service.location.batch_errors import CONFLICT, VALIDATION, item_error
from service.outcome import Posted
from service.tracker import Tracker

CODES: Final = {"conflict": CONFLICT}
"""By the reason of a reject, where it is not a ValidationError."""


def posted_updates(tracker: Tracker, tracker_name: str, updates: Sequence[Mapping[str, Any]]) -> Posted:
    """Posts updates that fit the model. Raises NotFound, StoreAway."""
    return tracker.post(msgspec.json.encode(updates), tracker_name, decoding=_decoding(updates))


def update_errors(updates: Sequence[Mapping[str, Any]], posted: Posted) -> list[dict[str, Any]]:
    """Of each update that was not taken: whose it is, and why not."""
    refused = [(each, updates[each.item or 0]) for each in posted.rejects]
    return [
        {
            "DeviceId": update["DeviceId"],
            "SampleTime": update["SampleTime"],
            "Error": item_error(CODES.get(reject.reason, VALIDATION), reject.detail),
        }
        for reject, update in refused
    ]


def _decoding(updates: Sequence[Mapping[str, Any]]) -> Decode:
    """What reads them, in the place of the message that they are an array in.

    Properties stand apart from place and time, so that one may be called `latitude`.
    """

    def decode(messages: Sequence[Message], received_time: int, limits: DecodeLimits) -> Decoded:
        bounds = limits.bounds(received_time)
        rejects = MessageRejects(0, messages[0])
        rejects.kind = "item"
        rows: list[Row] = []
        items: list[int] = []
        for number, update in enumerate(updates):
            try:
                rows.append(_row(update, bounds))
            except Fault as fault:
                rejects.add(fault, number)
            else:
                items.append(number)
        item = np.array(items, np.int32)
        return Decoded(batch_of(rows), np.zeros_like(item), item, list(rejects.all()))

    return decode


def _row(update: Mapping[str, Any], bounds: Bounds) -> Row:
    """Raises Fault."""
    longitude, latitude = update["Position"]
    device_id, sample_time, *place, _, accuracy, _ = device_position(
        {
            "deviceId": update["DeviceId"],
            "timestamp": iso(update["SampleTime"]),
            "longitude": longitude,
            "latitude": latitude,
            "accuracy": update.get("Accuracy"),
        },
        None,
        bounds,
    )
    properties = update.get("PositionProperties") or {}
    altitude = altitude_of(properties.get("altitude"))
    text = canonical(properties, bounds.property_bytes, bounds.depth)
    return device_id, sample_time, place[0], place[1], altitude, accuracy, text
