"""Reading gzip, with isal where it is installed (twice as fast), and one error for all that can be wrong."""

import gzip
import zlib
from collections.abc import Callable
from importlib import import_module
from types import ModuleType
from typing import BinaryIO

_gzip: ModuleType = gzip
_damage: tuple[type[Exception], ...] = (gzip.BadGzipFile, zlib.error)
try:
    _gzip = import_module("isal.igzip")
    _damage += (import_module("isal.isal_zlib").error,)
except ImportError:
    pass  # there is no wheel of it for this machine


class DamagedGzip(Exception):
    """Bytes that are no gzip, or not to their end; the sentence, without its subject, says which."""


def gunzip_reader(file: BinaryIO) -> Callable[[int], bytes]:
    """Reads up to so many gunzipped bytes of the file, b'' at its end. Raises DamagedGzip."""
    unpacked = _gzip.GzipFile(fileobj=file, mode="rb")

    def read(size: int) -> bytes:
        try:
            block: bytes = unpacked.read(size)
        except EOFError:
            raise DamagedGzip("is a truncated gzip file: fetch or compress it again") from None
        except _damage as error:
            raise DamagedGzip(f"is not a sound gzip file ({error})") from None
        return block

    return read
