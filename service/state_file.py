"""A file that keeps a state between two evaluations: columns in NumPy's .npz, and a head to know it by.

It is written aside and put in its place when it is whole, so that whoever stops in between has the old one.
What is read is believed only as far as it proves itself: format, version, check sums, and the columns' laws.
"""

import errno
import json
import os
import tokenize
import zipfile
import zlib
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from geofence.state.inside_state import InsideState
from geofence.state.state_columns import StateColumns
from service.carried_state import MARK_BYTES, CarriedState, Terms
from service.crossing_rule import CROSSINGS, CrossingRule
from service.errors import Refused

FORMAT: Final = "overfly state"
VERSION: Final = 1
HEAD: Final = "head"
OURS: Final = b"PK\x03\x04", b"head.npy"
"""How a file begins, and what is the name of its first part: the bytes at 0 and at 30 (APPNOTE.TXT 4.3.7)."""

DAMAGED_ARCHIVE = (
    zipfile.BadZipFile,  # no directory, a wrong checksum, a name that is another in its header
    NotImplementedError,  # a byte that asks for another compression or version of ZIP
    RuntimeError,  # one that says that a part is encrypted
    zlib.error,  # one that says that a part is compressed
    EOFError,  # a part that is cut short
    ValueError,  # a part that is no array of numbers
    tokenize.TokenError,  # one whose header is no Python literal
    MemoryError,  # one that says that it has more numbers than fit into memory
    OverflowError,  # or into an integer
)
"""What NumPy and zipfile raise of an archive that is cut short or changed, beside OSError."""

DAMAGED_PARTS = (KeyError, ValueError)
"""A part or member that is not there; one that is no text, no JSON, or none of the numbers that it holds."""


def write_state_file(path: Path, carried: CarriedState, terms: Terms) -> None:
    """Puts a file in the place of the one that is there. Raises Refused where it cannot be written."""
    head = {
        "format": FORMAT,
        "version": VERSION,
        "unknownAltitudeInside": terms.unknown_altitude_inside,
        "crossing": terms.rule.crossing,
        "maxGap": terms.rule.max_gap,
        "maxSpeed": terms.rule.max_speed,
    }
    parts = {
        HEAD: _bytes(json.dumps(head)),
        "device_ids": _bytes("\n".join(carried.device_ids)),
        "geofence_ids": _bytes("\n".join(terms.geofence_ids)),
        "geofence_marks": terms.marks,
        **carried.state.snapshot().named(),
    }
    place = path.resolve()  # of a link, what it leads to
    aside = place.with_name(f".{place.name}.{os.getpid()}")
    try:
        with aside.open("wb") as file:
            np.savez(file, allow_pickle=False, **parts)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(place)
    except OSError as error:
        with suppress(OSError):
            aside.unlink(missing_ok=True)
        raise Refused(f"{path} cannot be written: {error.strerror or error}") from None


def read_state_file(path: Path, terms: Terms) -> CarriedState:
    """What `write_state_file` wrote under the same terms, for geofences in the order in which they are now.

    Raises Refused that says why it cannot be carried on.
    """
    parts = _parts(path)
    head = _head(path, parts)
    try:
        before = Terms(
            _texts(parts["geofence_ids"]),
            _checked(parts["geofence_marks"]),
            head["unknownAltitudeInside"] is True,
            _rule(head),
        )
        device_ids = _texts(parts["device_ids"])
        columns = StateColumns.of_named(parts)
    except DAMAGED_PARTS as error:
        raise _damaged(path, error) from None
    problem = columns.problem(len(before.geofence_ids))
    if problem is None and not len(device_ids) == len(set(device_ids)) == len(columns):
        problem = f"{len(set(device_ids)):,} devices for {len(columns):,} watermarks"
    if problem is None and not len(set(before.geofence_ids)) == len(before.geofence_ids) == len(before.marks):
        problem = f"{len(before.marks):,} marks of {len(set(before.geofence_ids)):,} geofences"
    if problem is not None:
        raise _damaged(path, problem)
    difference = terms.difference(before)
    if difference is not None:
        raise Refused(f"{path} cannot be carried on: {difference}")
    return CarriedState(device_ids, InsideState.of(columns.renumbered(terms.keys_from(before))))


def _parts(path: Path) -> dict[str, NDArray[Any]]:
    try:
        with path.open("rb") as file:
            start = file.read(64)
            if not (start.startswith(OURS[0]) and start[30:].startswith(OURS[1])):
                raise _not_ours(path)
            file.seek(0)
            with np.load(file, allow_pickle=False) as archive:
                return {name: archive[name] for name in archive.files}
    except OSError as error:
        if error.errno in (None, errno.EINVAL):  # a place before the file's beginning
            raise _damaged(path, error) from None
        raise Refused(f"{path} cannot be read: {error.strerror}") from None
    except DAMAGED_ARCHIVE as error:
        raise _damaged(path, error) from None


def _head(path: Path, parts: dict[str, NDArray[Any]]) -> dict[str, object]:
    try:
        head = json.loads(parts[HEAD].tobytes())
    except DAMAGED_PARTS:
        raise _not_ours(path) from None
    if not isinstance(head, dict) or head.get("format") != FORMAT:
        raise _not_ours(path)
    if head.get("version") != VERSION:
        raise Refused(
            f"{path} has version {head.get('version')!r} of its format: expected {VERSION}. "
            f"Evaluate with the Overfly that wrote it, or begin anew with another file"
        )
    return head


def _rule(head: dict[str, object]) -> CrossingRule:
    """Raises KeyError, ValueError."""
    crossing, gap, speed = head["crossing"], head["maxGap"], head["maxSpeed"]
    if crossing not in CROSSINGS or type(gap) is not int or not isinstance(speed, int | float):
        raise ValueError(f"crossing {crossing!r}, {gap!r}, {speed!r}")
    return CrossingRule(str(crossing), gap, float(speed))


def _not_ours(path: Path) -> Refused:
    return Refused(f"{path} is no state: expected what `overfly evaluate --state` wrote, or no file yet")


def _damaged(path: Path, reason: object) -> Refused:
    return Refused(
        f"{path} is cut short or damaged ({reason}): expected it as it was written. "
        f"Evaluate the earlier positions again, with another file"
    )


def _bytes(text: str) -> NDArray[np.uint8]:
    return np.frombuffer(text.encode(), np.uint8)


def _texts(column: NDArray[Any]) -> list[str]:
    """Identifiers, which hold no line end. Raises ValueError."""
    text = column.tobytes().decode()
    return text.split("\n") if text else []


def _checked(marks: NDArray[Any]) -> NDArray[np.uint8]:
    if marks.dtype != np.uint8 or marks.ndim != 2 or marks.shape[1] != MARK_BYTES:
        raise ValueError(f"marks hold {marks.dtype} {marks.shape}")
    return marks
