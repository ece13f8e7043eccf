"""When a device measured: ISO 8601 with zone, epoch seconds, or epoch milliseconds, as whole milliseconds.

Everything is cut (toward the past) to whole milliseconds. ISO 8601 is what `datetime.fromisoformat` takes of
it in ASCII: no leap second, no 24:00, no ordinal dates, years of four digits, an upper-case Z.
"""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from math import floor

MILLISECONDS_FROM = 100_000_000_000
"""From this number on an epoch time is in milliseconds (March 1973), below it in seconds."""

EARLIEST = -62_135_596_800_000
"""0001-01-01T00:00:00.000Z in ms."""
LATEST = 253_402_300_799_999
"""9999-12-31T23:59:59.999Z in ms."""

EXPECTED = "expected ISO 8601 with zone (2018-08-01T05:00:00.000Z), epoch seconds or epoch milliseconds"

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_TEXT_LENGTH = 64


def milliseconds(timestamp: object) -> int | None:
    """The timestamp in ms since the epoch, None where it is none or lies outside the years 1 to 9999."""
    if type(timestamp) is str:
        return milliseconds_of_text(timestamp) if len(timestamp) <= _TEXT_LENGTH else None
    if type(timestamp) is int or type(timestamp) is float:
        return milliseconds_of_number(timestamp)
    return None


@lru_cache(maxsize=8192)
def milliseconds_of_text(text: str) -> int | None:
    """An ISO 8601 time with zone; many devices report the same times, so the latest are remembered."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if moment.tzinfo is None or not text.isascii():
        return None
    return _within_years((moment - EPOCH) // _MILLISECOND)


def milliseconds_of_number(number: float) -> int | None:
    """Epoch seconds, or from 1e11 on milliseconds. A float stands for its shortest decimal form.

    1533100000.123 is a hair less than that as a double and still yields ...123.
    """
    if not EARLIEST <= number <= LATEST:  # NaN and the infinities too
        return None
    if number >= MILLISECONDS_FROM:
        return _within_years(floor(number))
    if isinstance(number, int):
        return _within_years(number * 1000)
    nearest = round(number * 1000)
    if nearest / 1000 == number:
        return _within_years(nearest)
    return _within_years(floor(Decimal(repr(number)).scaleb(3)))


def _within_years(time: int) -> int | None:
    return time if EARLIEST <= time <= LATEST else None


def iso(time: int) -> str:
    """A time in ms as ISO 8601, or the number where it lies outside the years 1 to 9999."""
    if not EARLIEST <= time <= LATEST:
        return f"{time} ms"
    moment = EPOCH + time * _MILLISECOND
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
