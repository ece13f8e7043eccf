"""Positions of a file, one object a line, plain or gzipped: the fast way for offline evaluation.

Usual lines are read in C, where that was built (`usual_lines`). The others are decoded by the thousand into
just the members that evaluation needs. That way does not look at what it skips, so each line that could
hide something there, and each that fails, is judged alone as a message would be: the same lines are taken,
whichever way they go.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import nan
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ingest.decoding import payloads
from ingest.decoding.asked_properties import AskedProperties
from ingest.decoding.blocks import UnreadableFile, opened_blocks
from ingest.decoding.decoder import DecodeLimits
from ingest.decoding.device_positions import device_position
from ingest.decoding.faults import Fault
from ingest.decoding.line_columns import DeviceSlots, LineColumns, LineDecoder, LineRow
from ingest.decoding.odd_lines import is_utf8, odd_lines
from ingest.decoding.parts import PAYLOAD_KEPT
from ingest.decoding.rejects import MessageRejects, Reject
from ingest.decoding.usual_lines import COMPILED, MOST_ASKED, Library, usual_columns
from ingest.messages import Message
from ingest.topics import device_of_topic

__all__ = ["LineReader", "OfflinePositions", "UnreadableFile", "read_positions"]

Progress = Callable[[int], None]
"""Told how many bytes of the file (as it lies on the disk) have been read so far."""

BLOCK = 1 << 18
"""Bytes read at once."""

FEW = 8
"""Lines that are judged one by one rather than halved once more."""


@dataclass(frozen=True, slots=True)
class OfflinePositions:
    """The good positions of a file as columns of length n, in its order, and what was refused.

    `device` (int32) indexes `device_ids`, each of which has a position here. `sample_time` is in ms since
    the epoch, `longitude` and `latitude` in degrees, `altitude` (above mean sea level) and `accuracy` in
    metres, NaN where unknown; `altitude` is NaN as well where it is not asked for. `properties` are texts of
    JSON objects with what is asked for, '' where there is nothing of it. `rejects` counts by reason;
    `first_rejects` has the first ones, whose `item` is the 0-based line.
    """

    device: NDArray[np.int32]
    device_ids: list[str]
    sample_time: NDArray[np.int64]
    longitude: NDArray[np.float64]
    latitude: NDArray[np.float64]
    altitude: NDArray[np.float64]
    accuracy: NDArray[np.float64]
    properties: NDArray[np.object_]
    rejects: Counter[str]
    first_rejects: list[Reject]

    def __len__(self) -> int:
        return len(self.sample_time)


def read_positions(
    path: Path,
    limits: DecodeLimits,
    progress: Progress | None = None,
    *,
    topic: str | None = None,
    listed: int = 100,
    altitudes: bool = False,
    properties: Iterable[str] = (),
) -> OfflinePositions:
    """The positions in this file, each line judged as if it came now on `topic`. Raises UnreadableFile.

    `altitudes`: whether they are asked for, which takes a little longer. `properties`: which are asked for,
    likewise.
    """
    reader = LineReader(limits, topic, listed, altitudes=altitudes, properties=properties)
    with opened_blocks(path) as blocks:
        reader.read(blocks.read, lambda: progress(blocks.taken()) if progress else None)
    return reader.positions()


class LineReader:
    """Reads lines, block by block, into columns."""

    def __init__(
        self,
        limits: DecodeLimits,
        topic: str | None = None,
        listed: int = 100,
        block: int = BLOCK,
        *,
        altitudes: bool = False,
        properties: Iterable[str] = (),
        library: Library | None = COMPILED,
    ) -> None:
        """library: reads usual lines; where it is None all go the other ways."""
        self._limits = limits
        self._bounds = limits.bounds(time.time_ns() // 1_000_000)
        self._topic = topic
        self._topic_device = device_of_topic(topic)
        self._listed = listed
        self._block = block
        self._altitudes = altitudes
        self._slots = DeviceSlots(self._topic_device)
        self._asked = AskedProperties(properties)
        self._library = library if len(self._asked) <= MOST_ASKED else None
        self._decoder = LineDecoder(self._slots, self._bounds, altitudes=altitudes, asked=self._asked)
        self._next_line = 0
        self._parts: list[LineColumns] = []
        self._rejects: Counter[str] = Counter()
        self._first_rejects: list[Reject] = []

    def read(self, blocks: Callable[[int], bytes], progress: Callable[[], object] = lambda: None) -> None:
        """All lines of what `blocks(size)` gives until it gives b''.

        A line above the limit of a payload is never held whole.
        """
        rest, skipped = b"", 0
        while block := blocks(self._block):
            progress()
            end = block.find(b"\n") if skipped else block.rfind(b"\n")
            if skipped and end >= 0:
                self._refuse_long(rest, skipped + end)
                rest, skipped, block = b"", 0, block[end + 1 :]
                end = block.rfind(b"\n")
            if skipped:
                skipped += len(block)
            elif end >= 0:
                self._take(rest + block[: end + 1])
                rest = block[end + 1 :]
            else:
                rest += block
                if len(rest) > self._limits.payload_bytes:
                    rest, skipped = rest[:PAYLOAD_KEPT], len(rest)
        if skipped:
            self._refuse_long(rest, skipped)
        elif rest:
            self._take(rest + b"\n")

    def positions(self) -> OfflinePositions:
        """What has been read so far."""
        columns = LineColumns.concatenate(self._parts)
        if (np.diff(columns.line) < 0).any():
            columns = columns.take(np.argsort(columns.line, kind="stable"))
        return OfflinePositions(
            device=columns.device,
            device_ids=[device_id for device_id in self._slots if device_id is not None],
            sample_time=columns.sample_time,
            longitude=columns.longitude,
            latitude=columns.latitude,
            altitude=columns.altitude,
            accuracy=columns.accuracy,
            properties=columns.properties,
            rejects=self._rejects,
            first_rejects=self._first_rejects,
        )

    def _take(self, chunk: bytes) -> None:
        """Whole lines, the last one with its end as well."""
        if b"\r" in chunk:
            chunk = chunk.replace(b"\r\n", b"\n")
        usual = LineColumns.of_rows([])
        if self._library is not None and is_utf8(chunk):
            lines, usual = usual_columns(
                self._library,
                chunk,
                self._next_line,
                self._slots,
                self._bounds,
                self._asked,
                altitudes=self._altitudes,
            )
            if len(usual.line):
                self._parts.append(usual)
            if len(usual.line) == lines:
                self._next_line += lines
                return
        self._take_unusual(chunk, usual.line - self._next_line)

    def _take_unusual(self, chunk: bytes, usual: NDArray[np.int64]) -> None:
        """The lines of a chunk but for those, by their index in it, that are taken already."""
        ends = np.flatnonzero(np.frombuffer(chunk, np.uint8) == ord("\n"))
        starts = np.concatenate(([0], ends[:-1] + 1))
        first = self._next_line
        self._next_line += len(ends)
        taken = np.zeros(len(ends), np.bool_)
        taken[usual] = True
        apart = odd_lines(chunk, starts, ends) | taken
        columns = None if apart.any() else self._decoder.columns(chunk, np.arange(first, self._next_line))
        if columns is not None and len(columns.line) == len(ends):
            self._parts.append(columns)
            return
        lines = chunk.split(b"\n")[:-1]
        parts = [columns] if columns is not None else self._halves(lines, first, np.flatnonzero(~apart))
        for part in parts:
            taken[part.line - first] = True
        self._parts += parts
        self._judge(lines, first, np.flatnonzero(~taken))

    def _halves(self, lines: list[bytes], first: int, indices: NDArray[np.int64]) -> list[LineColumns]:
        """The good ones among lines that are not odd, found by halving until they decode or are few."""
        if len(indices) < FEW:
            return []
        columns = self._decoder.columns(b"\n".join([lines[index] for index in indices]), indices + first)
        if columns is not None:
            return [columns]
        half = len(indices) // 2
        return [*self._halves(lines, first, indices[:half]), *self._halves(lines, first, indices[half:])]

    def _judge(self, lines: list[bytes], first: int, indices: NDArray[np.int64]) -> None:
        """Each of these lines alone, as a message would be."""
        rows: list[LineRow] = []
        for index in indices:
            line, number = lines[index], first + int(index)
            if not line.strip(payloads.BLANK):
                continue
            try:
                payloads.refuse_size(line, self._limits.payload_bytes)
                device_id, sample_time, longitude, latitude, altitude, accuracy, properties = device_position(
                    payloads.document(line), self._topic_device, self._bounds
                )
            except Fault as fault:
                self._refuse(fault, line, number)
            else:
                altitude = altitude if self._altitudes else nan
                asked = self._asked.of_properties(properties) if len(self._asked) else ""
                slot = self._slots[device_id]
                rows.append((number, slot, sample_time, longitude, latitude, altitude, accuracy, asked))
        if rows:
            self._parts.append(LineColumns.of_rows(rows))

    def _refuse(self, fault: Fault, line: bytes, number: int) -> None:
        self._rejects[fault.reason] += 1
        if len(self._first_rejects) < self._listed:
            rejects = MessageRejects(0, Message(line, self._topic))
            rejects.kind = "line"
            rejects.add(fault, number, line)
            self._first_rejects += rejects.all()

    def _refuse_long(self, head: bytes, length: int) -> None:
        self._refuse(payloads.too_large(length, self._limits.payload_bytes), head, self._next_line)
        self._next_line += 1
