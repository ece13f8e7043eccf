"""DevicePositionUpdates of requests: read into columns, and what is answered of those that are not taken."""

import sys
from collections.abc import Mapping, Sequence
from math import nan
from typing import Any, Final, overload

import numpy as np
from msgspec import json

from ingest.decoding.decoder import Decoded, DecodeLimits, batch_of
from ingest.decoding.device_positions import Bounds, Row
from ingest.decoding.faults import Fault
from ingest.decoding.parts import PAYLOAD_KEPT
from ingest.decoding.properties import canonical_text
from ingest.decoding.rejects import Reject
from ingest.messages import Message
from ingest.timestamps import iso
from service.location.batch_errors import CONFLICT, INTERNAL, VALIDATION, item_error
from service.location.places import place_fault
from service.outcome import Posted
from service.tracker import Tracker

Updates = Sequence[Mapping[str, Any]]
"""Those of one request, which fit the model; times in milliseconds."""
CODES: Final = {"conflict": CONFLICT, "unstorable": INTERNAL}
"""By the reason of a reject, where it is not a ValidationError."""


def update_errors(updates: Updates, rejects: Sequence[Reject]) -> list[dict[str, Any]]:
    """Of each update that was not taken: whose it is, and why not."""
    refused = [(each, updates[each.item or 0]) for each in rejects]
    return [
        {
            "DeviceId": update["DeviceId"],
            "SampleTime": update["SampleTime"],
            "Error": item_error(CODES.get(reject.reason, VALIDATION), reject.detail),
        }
        for reject, update in refused
    ]


def stored_updates(tracker: Tracker, tracker_name: str, all_updates: Sequence[Updates]) -> Posted:
    """Stores updates of several requests in one commit; rejects are by request and update.

    Raises NotFound, StoreAway.
    """

    def decoding(_: Sequence[Message], received_time: int, limits: DecodeLimits) -> Decoded:
        return decoded_updates(all_updates, limits.bounds(received_time))

    return tracker.post_all(WrittenUpdates(all_updates), tracker_name, decoding)


def decoded_updates(all_updates: Sequence[Updates], bounds: Bounds) -> Decoded:
    """As if each of these had been a message, an array of positions."""
    rows: list[Row] = []
    places: list[tuple[int, int]] = []
    rejects: list[Reject] = []
    for message, updates in enumerate(all_updates):
        for item, update in enumerate(updates):
            fault = _fault(update, bounds)
            if fault is None:
                rows.append(_row(update))
                places.append((message, item))
            else:
                detail = fault.detail(f" at item {item}")
                payload, device_id = _written(update)[:PAYLOAD_KEPT], update["DeviceId"]
                rejects.append(
                    Reject(fault.reason, detail, None, device_id, payload, message, item, redelivered=False)
                )
    of = np.array(places, np.int32).reshape(-1, 2)
    return Decoded(batch_of(rows), of[:, 0], of[:, 1], rejects)


def _row(update: Mapping[str, Any]) -> Row:
    longitude, latitude = update["Position"]
    accuracy, properties = update.get("Accuracy"), update.get("PositionProperties")
    return (
        sys.intern(update["DeviceId"]),
        update["SampleTime"],
        float(longitude),  # boto3 gives a whole number as int
        float(latitude),
        nan,
        nan if accuracy is None else float(accuracy["Horizontal"]),
        canonical_text(properties) if properties else "",
    )


def _fault(update: Mapping[str, Any], bounds: Bounds) -> Fault | None:
    time = update["SampleTime"]
    if time > bounds.latest:
        return Fault("in_future", f"SampleTime {iso(time)}", f"expected at most {iso(bounds.latest)}")
    if time < bounds.earliest:
        return Fault("too_old", f"SampleTime {iso(time)}", f"expected {iso(bounds.earliest)} or later")
    return place_fault(update["Position"])


class WrittenUpdates(Sequence[Message]):
    """Updates as messages, each written when it is looked at: which is where something of it is refused."""

    def __init__(self, all_updates: Sequence[Updates]) -> None:
        self._all_updates = all_updates

    def __len__(self) -> int:
        return len(self._all_updates)

    @overload
    def __getitem__(self, index: int) -> Message: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[Message]: ...

    def __getitem__(self, index: int | slice) -> Message | Sequence[Message]:
        if isinstance(index, slice):
            return WrittenUpdates(self._all_updates[index])
        return Message(b"[" + b",".join(map(_written, self._all_updates[index])) + b"]")


def _written(update: Mapping[str, Any]) -> bytes:
    return json.encode({**update, "SampleTime": iso(update["SampleTime"])})
