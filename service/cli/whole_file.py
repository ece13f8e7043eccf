"""A file of lines that is there whole, or not at all."""

import gzip
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from service.errors import Refused


def whole_file(path: Path, parts: Iterable[Sequence[bytes]], progress: Callable[[int], object]) -> int:
    """Writes lines and answers how many; the file has its name only once it is whole.

    It is compressed where its name ends in .gz. `progress` is told how many lines there are. Raises Refused
    where it cannot be written.
    """
    part = path.with_name(f"{path.name}.part")
    count = 0
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _stream(part, gzipped=path.suffix == ".gz") as stream:
            for lines in parts:
                stream.writelines(lines)
                progress(count := count + len(lines))
        part.replace(path)
    except OSError as error:
        raise Refused(f"{path} cannot be written: {error.strerror or error}") from None
    finally:
        with suppress(OSError):  # where it was never made
            part.unlink()
    return count


@contextmanager
def _stream(path: Path, *, gzipped: bool) -> Iterator[BinaryIO]:
    with path.open("wb") as file:
        if not gzipped:
            yield file
            return
        with gzip.GzipFile(fileobj=file, mode="wb", compresslevel=6, mtime=0) as packed:
            yield packed  # type: ignore[misc]  # a binary stream to write to, whatever its class is called
