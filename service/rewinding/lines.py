"""Lines of an export, each one JSON object: decoded by the block, bad ones named by number and member."""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, NamedTuple, TypeVar

import msgspec

from ingest.decoding.blocks import opened_blocks
from ingest.decoding.faults import shown

Line = TypeVar("Line", bound=msgspec.Struct)

BLOCK = 1 << 19
"""Bytes read at once."""


class LineFault(NamedTuple):
    """Why a line is refused. `line` counts from 1; `reason` is a short stable word, `detail` a sentence."""

    line: int
    reason: str
    detail: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.reason}: {self.detail}"


@dataclass(slots=True)
class LineFaults:
    """The faults of a file: how many by reason, and the first `listed` of them."""

    listed: int
    counts: Counter[str] = field(default_factory=Counter)
    first: list[LineFault] = field(default_factory=list)

    def add(self, line: int, reason: str, what: str, expected: str) -> None:
        """One more; `what` names the member and its value, `expected` says what would be right."""
        self.counts[reason] += 1
        if len(self.first) < self.listed:
            self.first.append(LineFault(line, reason, f"{what} at line {line}: {expected}"))


@dataclass(frozen=True, slots=True)
class LineReader(Generic[Line]):
    """Reads lines of one shape; what does not have it goes to the faults."""

    shape: type[Line]
    faults: LineFaults

    def read(self, path: Path, progress: Callable[[int], object]) -> Iterator[tuple[list[int], list[Line]]]:
        """The good lines, many at once, with their numbers from 1 on. Raises UnreadableFile."""
        decoder = msgspec.json.Decoder(self.shape)
        first = 1
        with opened_blocks(path) as blocks:
            for chunk in _chunks(blocks.read):
                count = chunk.count(b"\n")
                yield self._decoded(decoder, chunk, first, count)
                first += count
                progress(blocks.taken())

    def _decoded(
        self, decoder: msgspec.json.Decoder[Line], chunk: bytes, first: int, count: int
    ) -> tuple[list[int], list[Line]]:
        try:
            lines = decoder.decode_lines(chunk)
        except (ValueError, RecursionError):
            lines = []
        if len(lines) == count:
            return list(range(first, first + count)), lines
        numbered = [
            (number, line)
            for number, text in enumerate(chunk.split(b"\n")[:-1], first)
            if text.strip() and (line := self._judged(decoder, text, number)) is not None
        ]
        return [number for number, _ in numbered], [line for _, line in numbered]

    def _judged(self, decoder: msgspec.json.Decoder[Line], text: bytes, number: int) -> Line | None:
        try:
            return decoder.decode(text)
        except msgspec.ValidationError as error:
            self._refuse(text, number, str(error))
        except (ValueError, RecursionError):
            self.faults.add(number, "bad_json", _beginning(text), "expected one JSON object")
        return None

    def _refuse(self, text: bytes, number: int, sentence: str) -> None:
        """A line that does not have the shape, by what msgspec says of it."""
        problem, _, path = sentence.partition(" - at `$")
        member = path.rstrip("`").removeprefix(".")
        missing = MISSING.match(problem)
        if missing:
            name = f"{member}.{missing[1]}" if member else missing[1]
            self.faults.add(number, "missing", f"no {name}", "expected it in every line")
        elif not member:
            self.faults.add(number, "not_object", _beginning(text), "expected an object")
        else:
            expected = problem[:1].lower() + problem[1:].partition(", got ")[0].replace("`", "")
            self.faults.add(
                number, reason_for(member), f"{member} {_value_at(text, member)}".rstrip(), expected
            )


MISSING = re.compile(r"Object missing required field `(\w+)`")
STEP = re.compile(r"\w+")
"""A member's name or an item's number in msgspec's paths, such as `position[1]`."""


def _chunks(read: Callable[[int], bytes]) -> Iterator[bytes]:
    """Whole lines, the last one with its end as well."""
    rest: list[bytes] = []
    while block := read(BLOCK):
        end = block.rfind(b"\n") + 1
        if end:
            yield b"".join([*rest, block[:end]])
            rest = []
        rest.append(block[end:])
    if last := b"".join(rest):
        yield last + b"\n"


def _value_at(text: bytes, path: str) -> str:
    """The value at a path in a line, as a sentence shows it; nothing where the line breaks off behind it."""
    try:
        value = msgspec.json.decode(text)
    except (ValueError, RecursionError):
        return ""
    for step in STEP.findall(path):
        value = value[int(step)] if isinstance(value, list) else value[step]
    return shown(value)


def reason_for(path: str) -> str:
    """`sampleTime` is bad_sample_time, `position[1]` bad_position."""
    member = path.partition(".")[0].partition("[")[0]
    return "bad_" + re.sub(r"[A-Z]", lambda match: f"_{match[0].lower()}", member)


def _beginning(text: bytes) -> str:
    return shown(text[:200].decode(errors="replace"))
