"""Where a command's output goes, and what it says of lines that it could not take."""

import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import typer
from rich.console import Console

from service.errors import Refused


@contextmanager
def output_file(path: Path | None) -> Iterator[BinaryIO]:
    """The file at `path`, or stdout. Raises Refused where it cannot be written."""
    if path is None:
        yield sys.stdout.buffer
        return
    try:
        stream = path.open("wb")
    except OSError as error:
        raise Refused(f"{path} cannot be written: {error.strerror or error}") from None
    try:
        yield stream
    finally:
        try:
            stream.close()
        except OSError as error:  # what is written at the last finds no room
            raise Refused(f"{path} cannot be written: {error.strerror or error}") from None


def write_parts(stream: BinaryIO, parts: Iterable[bytes]) -> None:
    """All parts; the command ends where nobody reads on. Raises Refused where it cannot be written."""
    try:
        for part in parts:
            stream.write(part)
        stream.flush()
    except BrokenPipeError:  # who reads has seen enough, as `head` does
        raise typer.Exit(1) from None
    except OSError as error:
        raise Refused(f"the output cannot be written: {error.strerror or error}") from None


def say_refused(console: Console, first: Iterable[str], counts: Counter[str]) -> None:
    """The first refused lines one by one, then how many by reason."""
    for sentence in first:
        console.print(sentence, markup=False, soft_wrap=True)
    for reason, count in counts.most_common():
        console.print(f"{count:,} refused: {reason}")
