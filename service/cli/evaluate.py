"""`overfly evaluate`: events from files, without servers."""

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer
from rich.console import Console
from rich.progress import Progress

from service.cli.geofence_file import SHOWN, counted, read_geofence_file
from service.errors import Refused

if TYPE_CHECKING:
    from ingest.decoding.ndjson import OfflinePositions


def register(app: typer.Typer) -> None:
    app.command("evaluate")(_evaluate)


def _evaluate(
    geofences: Annotated[
        Path, typer.Option(exists=True, dir_okay=False, readable=True, help="FeatureCollection (GeoJSON).")
    ],
    positions: Annotated[
        Path,
        typer.Option(
            exists=True, dir_okay=False, readable=True, help="A position a line (NDJSON), .gz or not."
        ),
    ],
    output: Annotated[
        Path | None, typer.Option(dir_okay=False, help="Where the events go (NDJSON); stdout when not given.")
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Fail, without any event, if a line is refused.")
    ] = False,
) -> None:
    """Find who entered and left what in a file of positions; needs no server.

    Positions are taken by timestamp, whatever their order in the file, and as old or new as they are. Refused
    lines are skipped and counted by reason on stderr. Exit status 1 if the geofences have faults.
    """
    from service.offline_evaluation import crossings, event_lines  # noqa: PLC0415 - half a second of imports

    console = Console(stderr=True, highlight=False)
    areas = read_geofence_file(geofences)
    with (
        _output(output) as stream,
        Progress(console=console, transient=True, disable=not console.is_terminal) as bar,
    ):
        read = _read_positions(positions, bar)
        if strict and read.rejects:
            _say_rejects(console, read)
            raise Refused(f"{positions}: {read.rejects.total():,} lines refused, and --strict takes none")
        task = bar.add_task("Evaluating", total=len(read))
        crossed = crossings(read, areas, lambda done: bar.update(task, completed=done))
        _write(stream, event_lines(crossed, read, areas))
    _say_rejects(console, read)
    console.print(
        f"{counted(len(read), 'position')} of {counted(len(read.device_ids), 'device')}, "
        f"{counted(len(areas), 'geofence')}: {counted(len(crossed), 'event')}"
    )


def _read_positions(path: Path, bar: Progress) -> "OfflinePositions":
    from ingest.decoding.decoder import DecodeLimits  # noqa: PLC0415 - as above
    from ingest.decoding.ndjson import UnreadableFile, read_positions  # noqa: PLC0415 - as above

    task = bar.add_task("Reading", total=path.stat().st_size)
    try:
        return read_positions(
            path,
            DecodeLimits(max_ahead=None, oldest=None),
            lambda done: bar.update(task, completed=done),
            listed=SHOWN,
        )
    except UnreadableFile as error:
        raise Refused(str(error)) from None


@contextmanager
def _output(path: Path | None) -> Iterator[BinaryIO]:
    if path is None:
        yield sys.stdout.buffer
        return
    try:
        stream = path.open("wb")
    except OSError as error:
        raise Refused(f"{path} cannot be written: {error.strerror or error}") from None
    with stream:
        yield stream


def _write(stream: BinaryIO, parts: Iterable[bytes]) -> None:
    try:
        for part in parts:
            stream.write(part)
        stream.flush()
    except BrokenPipeError:  # who reads has seen enough, as `head` does
        raise typer.Exit(1) from None
    except OSError as error:
        raise Refused(f"the events cannot be written: {error.strerror or error}") from None


def _say_rejects(console: Console, read: "OfflinePositions") -> None:
    if not read.rejects:
        return
    for reject in read.first_rejects:
        line = "" if reject.item is None else f"line {reject.item + 1}: "
        console.print(f"{line}{reject.reason}: {reject.detail}", markup=False, soft_wrap=True)
    for reason, count in read.rejects.most_common():
        console.print(f"{count:,} refused: {reason}")
