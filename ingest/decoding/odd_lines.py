"""Which lines of NDJSON could hide something from a decoder that skips what it does not need.

Such a decoder takes values one after the other without regard to lines, and does not look into members that
it skips. So a line is odd, and must be judged alone, if it does not begin and end as an object does, has an
escape that may be NUL or a surrogate, has wrong UTF-8, or may have more than 64 levels, properties above
8 KiB or a number beyond a double. To be odd is no fault.

Why first and last bytes suffice: a value that went on in the next line would need a comma or a closing
bracket there, not an opening one; so with as many values as lines each line holds exactly one.
"""

import re

import numpy as np
from numpy.typing import NDArray

SHORT = 1024
"""Bytes of a line whose properties cannot be above 8 KiB: canonical text is at most five times as long."""
LEVELS = 64
"""Opening brackets of a line that cannot be nested deeper than this."""

_DIGITS = 200
"""A number with fewer digits in a row and an exponent of at most two digits is below 1e300."""
_NO_LONG_NUMBER = 256
"""Bytes of a line that has no room for so many digits beside the required members."""

_LINE_END, _OPEN, _CLOSE, _BRACKET = b"\n{}["
_E = ord("e")
_LOWER_CASE = 0x20
_ESCAPE = re.compile(rb"\\u")
_LARGE_EXPONENT = re.compile(rb"[eE]\+?[0-9]{3,}[\s,}\]]")
_TO_ZEROS = bytes.maketrans(b"123456789", b"0" * 9)


def odd_lines(chunk: bytes, starts: NDArray[np.int64], ends: NDArray[np.int64]) -> NDArray[np.bool_]:
    """For each line of the chunk whether it is odd.

    `ends` are the places of all line ends, the chunk's last byte among them, `starts` those of first bytes.
    """
    text = np.frombuffer(chunk, np.uint8)
    lengths = ends - starts
    odd: NDArray[np.bool_] = (text[starts] != _OPEN) | (text[ends - 1] != _CLOSE) | (lengths > SHORT)
    if b"\\" in chunk:
        odd[_lines_of([found.start() for found in _ESCAPE.finditer(chunk)], ends)] = True
    odd[_lines_of(_large_exponents(chunk, text), ends)] = True
    if lengths.max() > _NO_LONG_NUMBER and b"0" * _DIGITS in chunk.translate(_TO_ZEROS):
        odd |= lengths > _NO_LONG_NUMBER
    opening = text == _OPEN
    if b"[" in chunk or np.count_nonzero(opening) > len(ends):
        opening |= text == _BRACKET
        odd |= np.add.reduceat(opening, starts, dtype=np.int64) > LEVELS
    if not is_utf8(chunk):
        odd |= np.maximum.reduceat(text, starts) > 0x7F
    return odd


def is_utf8(chunk: bytes) -> bool:
    """Whether these bytes are UTF-8."""
    if chunk.isascii():
        return True
    try:
        chunk.decode()
    except UnicodeDecodeError:
        return False
    return True


def _large_exponents(chunk: bytes, text: NDArray[np.uint8]) -> list[int]:
    """Where exponents of three and more digits are; one in a text counts too."""
    if len(text) < 5:
        return []
    digit = (text ^ ord("0")) < 10
    # after a digit, and before two more, whether or not there is a plus sign
    exponent = ((text[1:-3] | _LOWER_CASE) == _E) & digit[:-4] & digit[3:-1] & digit[4:]
    places = np.flatnonzero(exponent) + 1
    return [place for place in places.tolist() if _LARGE_EXPONENT.match(chunk, place)]


def _lines_of(places: list[int], ends: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.searchsorted(ends, np.array(places, np.int64))
