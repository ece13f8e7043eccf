"""A file, plain or gzipped, or standard input, as blocks of bytes; one error for all that can go wrong."""

import gzip
import sys
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from importlib import import_module
from io import BufferedReader
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

_gzip: ModuleType = gzip
_damage: tuple[type[Exception], ...] = (gzip.BadGzipFile, zlib.error)
try:  # isal is twice as fast; not every machine has a wheel of it
    _gzip = import_module("isal.igzip")
    _damage += (import_module("isal.isal_zlib").error,)
except ImportError:
    pass

STANDARD_INPUT = Path("-")

_MAGIC = b"\x1f\x8b"


class UnreadableFile(Exception):
    """A file that is not there, cannot be opened, or is no sound gzip; the sentence says which."""


class Blocks(NamedTuple):
    """A file that is open.

    `read(size)` gives up to so many bytes (gunzipped), b'' at the end. `taken()` says how many of the bytes
    that lie on the disk have been taken so far.
    """

    read: Callable[[int], bytes]
    taken: Callable[[], int]


@contextmanager
def opened_blocks(path: Path) -> Iterator[Blocks]:
    """The file at `path`, `-` for standard input, gunzipped if it is gzip or is named so.

    Raises UnreadableFile, at first or later while it is read.
    """
    name = "standard input" if path == STANDARD_INPUT else str(path)
    try:
        with nullcontext(sys.stdin.buffer) if path == STANDARD_INPUT else path.open("rb") as file:
            zipped = path.suffix == ".gz" or (
                isinstance(file, BufferedReader) and file.peek(len(_MAGIC)).startswith(_MAGIC)
            )
            unzipped = _gzip.GzipFile(fileobj=file, mode="rb") if zipped else file
            yield Blocks(unzipped.read, file.tell)
    except EOFError:
        raise UnreadableFile(f"{name} is a truncated gzip file: fetch or compress it again") from None
    except _damage as error:
        raise UnreadableFile(f"{name} is not a sound gzip file ({error})") from None
    except OSError as error:
        raise UnreadableFile(f"{name} cannot be read: {error.strerror or error}") from None
