"""Messages of other protocols: each position in them is put into our own members, and then judged as any.

Each protocol is a file of its own, which says what its members mean; faults name its members or ours.
"""

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeAlias

import numpy as np

from ingest import identifiers
from ingest.decoding import payloads
from ingest.decoding.decoder import Decode, Decoded, DecodeLimits, batch_of
from ingest.decoding.device_positions import Row, device_position
from ingest.decoding.faults import Fault, shown
from ingest.decoding.rejects import MessageRejects, Reject
from ingest.messages import Message

Members: TypeAlias = dict[str, object]
Translation: TypeAlias = Callable[[Members], Iterable[Members | Fault]]
"""The positions in one JSON object, in our members, and what of it is none. Raises Fault for all of it."""


def decode_by(translation: Translation) -> Decode:
    """Reads payloads that are one JSON object each."""

    def decode(messages: Sequence[Message], received_time: int, limits: DecodeLimits) -> Decoded:
        bounds = limits.bounds(received_time)
        rows: list[Row] = []
        numbers: list[int] = []
        rejects: list[Reject] = []
        for index, message in enumerate(messages):
            aside = MessageRejects(index, message)
            for members in _translated(message.payload, limits.payload_bytes, translation):
                try:
                    if isinstance(members, Fault):
                        raise members
                    rows.append(device_position(members, None, bounds))
                except Fault as fault:
                    aside.add(fault, None)
                else:
                    numbers.append(index)
            rejects += aside.all()
        # a message is one item, however many positions it holds: that is what a reject of it shows
        return Decoded(batch_of(rows), np.array(numbers, np.int32), np.zeros(len(rows), np.int32), rejects)

    return decode


def _translated(payload: bytes, most: int, translation: Translation) -> Iterator[Members | Fault]:
    try:
        yield from translation(_object(payload, most))
    except Fault as fault:
        yield fault


def _object(payload: bytes, most: int) -> Members:
    payloads.refuse_size(payload, most)
    document = payloads.document(payload)
    if not isinstance(document, dict):
        raise Fault("not_object", shown(document), "expected an object")
    return document


def device_id_of(sent: object, name: str, expected: str) -> str:
    """The device's id. Raises Fault (bad_device_id), which says what to do on the telephone."""
    if not identifiers.is_identifier(sent):
        what = f"no {name}" if sent in (None, "") else f"{name} {shown(sent)}"
        raise Fault("bad_device_id", what, f"{identifiers.EXPECTED}: {expected}")
    return sent


@contextmanager
def of_device(device_id: str) -> Iterator[None]:
    """Faults inside are of this device."""
    try:
        yield
    except Fault as fault:
        fault.device_id = device_id
        raise


def quantity(members: Members, name: str, unit: str, factor: float = 1) -> float | None:
    """Takes a measured number out, times `factor`; None where it is absent. Raises Fault (bad_number)."""
    value = members.pop(name, None)
    if value is None:
        return None
    if (type(value) is float or type(value) is int) and abs(value) <= sys.float_info.max / max(factor, 1):
        return value * factor
    raise Fault("bad_number", f"{name} {shown(value)}", f"expected a number in {unit}")


def known_quantity(members: Members, name: str, unit: str, factor: float = 1) -> float | None:
    """The same of what is never below 0: by such a number telephones say that they do not know."""
    value = quantity(members, name, unit, factor)
    return None if value is None or value < 0 else value
