"""Usual lines of positions, read by a library written in C where it was built.

A line is usual if it is one object without escapes, nested 16 deep at most and up to 1,024 bytes long, that
has a device id, degrees, and for a timestamp 2018-08-01T05:00:00Z (also with three or six digits after a
point) or epoch seconds or milliseconds of up to 15 digits. Of such a line the library finds what
`LineDecoder` finds, bit for bit. Any other line it leaves, also one with a fault: to be unusual is none.
"""

import importlib
from collections.abc import Mapping
from typing import NamedTuple, Protocol, cast

import numpy as np

from ingest.decoding.asked_properties import AskedProperties
from ingest.decoding.device_positions import Bounds
from ingest.decoding.line_columns import LineColumns, repeated


class Library(Protocol):
    """What is written in C."""

    def usual_positions(
        self,
        chunk: bytes,
        slots: Mapping[str | None, int],
        earliest: int,
        latest: int,
        names: tuple[bytes, ...] | None,
        texts: Mapping[bytes, str],
        /,
    ) -> "Answer":
        """See `compiled/position_lines.c`."""


class Answer(NamedTuple):
    """How many lines there were, and of those that are usual and good bytes of columns, and texts."""

    lines: int
    line: bytearray
    device: bytearray
    sample_time: bytearray
    longitude: bytearray
    latitude: bytearray
    altitude: bytearray | None
    accuracy: bytearray | None
    properties: list[str] | None


def _compiled() -> Library | None:
    try:
        return cast(Library, importlib.import_module("ingest.decoding.compiled.library"))
    except ImportError:
        return None


COMPILED = _compiled()
"""None if it was not built, or not for this machine."""

MOST_ASKED = 16
"""Properties that the library finds."""


def usual_columns(
    library: Library,
    chunk: bytes,
    first: int,
    slots: Mapping[str | None, int],
    bounds: Bounds,
    asked: AskedProperties,
    *,
    altitudes: bool,
) -> tuple[int, LineColumns]:
    """How many lines are in `chunk`, and the usual good ones among them.

    `chunk` is whole lines in UTF-8, the first of which has the number `first`. `slots` gives -1 for ids that
    cannot be; lines with such are left. `asked`: up to MOST_ASKED. `altitudes`: whether they are asked for.
    """
    names = tuple(name.encode("utf-8", "surrogatepass") for name in asked.names)
    found = Answer(*library.usual_positions(chunk, slots, bounds.earliest, bounds.latest, names, asked.texts))
    columns = _columns(found if altitudes else found._replace(altitude=None))
    return found.lines, columns._replace(line=columns.line + first)


def usual_positions(
    library: Library, lines: bytes, slots: Mapping[str | None, int], bounds: Bounds
) -> LineColumns:
    """The usual good ones among whole lines in UTF-8, with all their properties.

    Not usual is here also a line with properties that may not be in canonical form but for their order: with
    nested ones, or a number that has a shorter form.
    """
    return _columns(Answer(*library.usual_positions(lines, slots, bounds.earliest, bounds.latest, None, {})))


def _columns(found: Answer) -> LineColumns:
    line = np.frombuffer(found.line, np.int64)
    unknown = repeated(np.nan, np.float64, len(line))
    return LineColumns(
        line,
        np.frombuffer(found.device, np.int32),
        np.frombuffer(found.sample_time, np.int64),
        np.frombuffer(found.longitude, np.float64),
        np.frombuffer(found.latitude, np.float64),
        unknown if found.altitude is None else np.frombuffer(found.altitude, np.float64),
        unknown if found.accuracy is None else np.frombuffer(found.accuracy, np.float64),
        np.array(found.properties, np.object_) if found.properties else repeated("", np.object_, len(line)),
    )
