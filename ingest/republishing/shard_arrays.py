"""Positions of several bodies packed into arrays by shard, as they are published.

A small body shares its arrays with its neighbours, so that a queue of single positions does not become as
many publications; a large one is cut. Within a shard the order of the bodies is kept.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Final

import msgspec
from msgspec import Raw

from ingest import identifiers
from ingest.decoding import payloads
from ingest.decoding.faults import Fault, shown
from ingest.envelope import packed
from ingest.republishing.bodies import ARRAY_BYTES, Items, Undeliverable, pieces
from ingest.topics import ARRAY_TOPICS, SHARDS, topic_of_device


@dataclass(frozen=True, slots=True)
class Publication:
    """One message to publish.

    `positions` is how many an array holds; 0 where it is a payload as it came, which the tracker is to
    refuse. `sources` are the indices of the bodies that it is made of.
    """

    shard: int
    topic: str
    payload: bytes
    positions: int
    sources: tuple[int, ...]

    def halves(self) -> "tuple[Publication, Publication] | None":
        """Two arrays in place of one; None where there is nothing to part."""
        if self.positions < 2:
            return None
        items = _ITEMS.decode(self.payload)
        middle = len(items) // 2
        first, second = (
            Publication(self.shard, self.topic, _array(half), len(half), self.sources)
            for half in (items[:middle], items[middle:])
        )
        return first, second

    def undeliverable(self, reason: str, detail: str) -> Undeliverable:
        """This, as what is for the dead-letter queue."""
        return Undeliverable(reason, detail, packed(self.topic, self.payload).decode())


@dataclass(frozen=True, slots=True)
class PackedBodies:
    """What is published instead of some bodies, in order within each shard, and what cannot be, each with
    the index of its body.
    """

    publications: list[Publication]
    undeliverable: list[tuple[int, Undeliverable]]


def packed_bodies(bodies: Sequence[str], *, singly: bool = False) -> PackedBodies:
    """Never raises: a body that cannot be delivered is among the undeliverable.

    `singly`: no arrays; each position is a message to its device's own topic, for readers that take one;
    what has no device is undeliverable.
    """
    result = PackedBodies([], [])
    shards = [_OpenArray(shard) for shard in range(SHARDS)]
    for source, body in enumerate(bodies):
        for piece in pieces(body):
            if isinstance(piece, Undeliverable):
                result.undeliverable.append((source, piece))
            elif isinstance(piece, Items) and singly:
                singles, refused = _singles(piece, source)
                result.publications.extend(singles)
                result.undeliverable.extend((source, each) for each in refused)
            elif isinstance(piece, Items):
                shards[piece.shard].add(piece.items, source)
            else:
                result.publications.extend(shards[piece.shard].close())
                result.publications.append(Publication(piece.shard, piece.topic, piece.payload, 0, (source,)))
    for shard in shards:
        result.publications.extend(shard.close())
    return result


def _singles(positions: Items, source: int) -> tuple[list[Publication], list[Undeliverable]]:
    """Each position to its device's own topic, and what has no device, as arrays by what is wrong with it."""
    singles: list[Publication] = []
    refused: dict[str, tuple[Fault, list[bytes | Raw]]] = {}
    for item in positions.items:
        try:
            topic = topic_of_device(_device_of(bytes(item)))
        except Fault as fault:
            refused.setdefault(fault.reason, (fault, []))[1].append(item)
        else:
            singles.append(Publication(positions.shard, topic, bytes(item), 1, (source,)))
    arrays: list[Undeliverable] = []
    for reason, (first, items) in refused.items():
        array = _OpenArray(positions.shard)
        array.add(items, source)
        arrays += (each.undeliverable(reason, first.detail("")) for each in array.close())
    return singles, arrays


def _device_of(item: bytes) -> str:
    """Raises Fault where it has none, or none that a topic can name."""
    try:
        device = _DEVICE.decode(item).deviceId
    except (ValueError, RecursionError):
        device = ""
    if identifiers.is_identifier(device):
        return device
    document = payloads.document(item)
    if not isinstance(document, dict):
        raise Fault("not_object", shown(document), "expected an object")
    sent = document.get("deviceId")
    if sent is None:
        raise Fault("missing", "no deviceId", identifiers.EXPECTED)
    if not identifiers.is_identifier(sent):
        raise Fault("bad_device_id", f"deviceId {shown(sent)}", identifiers.EXPECTED)
    return sent


class _Device(msgspec.Struct):
    deviceId: str  # noqa: N815 - the member's name


_ITEMS: Final = msgspec.json.Decoder(list[Raw])
_DEVICE: Final = msgspec.json.Decoder(_Device)


@dataclass(slots=True)
class _OpenArray:
    """Positions of one shard that are not in a publication yet; `ends` says up to where each source's go."""

    shard: int
    items: list[bytes | Raw] = field(default_factory=list)
    ends: list[tuple[int, int]] = field(default_factory=list)

    def add(self, items: list[bytes | Raw], source: int) -> None:
        self.items += items
        self.ends.append((len(self.items), source))

    def close(self) -> Iterator[Publication]:
        """All of it, as arrays of at most ARRAY_BYTES, as full as they can be."""
        items, ends = self.items, self.ends
        self.items, self.ends = [], []
        bytes_before = list(accumulate(map(len, items), initial=0))

        def bytes_through(end: int) -> int:
            return bytes_before[end] + end  # with the comma after each

        start = 0
        while start < len(items):
            most = bytes_through(start) + ARRAY_BYTES - 1
            end = bisect_right(range(len(items) + 1), most, start + 2, key=bytes_through) - 1
            yield Publication(
                self.shard,
                ARRAY_TOPICS[self.shard],
                _array(items[start:end]),
                end - start,
                _sources(ends, start, end),
            )
            start = end


def _sources(ends: list[tuple[int, int]], start: int, end: int) -> tuple[int, ...]:
    """Of the items from `start` to before `end`."""
    first = bisect_right(ends, start, key=_end)
    last = bisect_left(ends, end, key=_end)
    return tuple(dict.fromkeys(source for _, source in ends[first : last + 1]))


def _end(run: tuple[int, int]) -> int:
    return run[0]


def _array(items: Sequence[bytes | Raw]) -> bytes:
    return b"[%b]" % b",".join(items)
