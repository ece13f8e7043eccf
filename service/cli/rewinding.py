"""`overfly evaluate --revisions`: the events of an export, under the revisions that each fix met."""

from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import Progress

from service.cli.geofence_file import SHOWN, counted
from service.cli.output_file import output_file, say_refused, write_parts
from service.errors import Refused

if TYPE_CHECKING:
    from service.rewinding.fixes import ExportedFixes
    from service.rewinding.lines import LineFaults
    from service.rewinding.revisions import ExportedRevisions


def rewind(
    positions: Path, revisions: Path, output: Path | None, *, strict: bool, unknown_altitude_inside: bool
) -> None:
    """Reads both files and writes the events. Raises Refused."""
    from service.rewinding.lines import LineFaults  # noqa: PLC0415 - half a second of imports
    from service.rewinding.rewind import event_lines, rewound  # noqa: PLC0415 - as above

    console = Console(stderr=True, highlight=False)
    faults = LineFaults(SHOWN)
    with (
        output_file(output) as stream,
        Progress(console=console, transient=True, disable=not console.is_terminal) as bar,
    ):
        history = _read_revisions(revisions, bar)
        fixes = _read_fixes(positions, history, faults, bar)
        if strict and faults.counts:
            say_refused(console, map(str, sorted(faults.first)), faults.counts)
            raise Refused(f"{positions}: {faults.counts.total():,} lines refused, and --strict takes none")
        task = bar.add_task("Evaluating", total=len(fixes))
        events = rewound(
            fixes,
            history,
            lambda done: bar.advance(task, done),
            unknown_altitude_inside=unknown_altitude_inside,
        )
        write_parts(stream, event_lines(events))
    say_refused(console, map(str, sorted(faults.first)), faults.counts)
    if events.repeated:
        console.print(
            f"{counted(events.repeated, 'position')} left out: another of its device and time came first"
        )
    if fixes.unmet:
        console.print(f"{counted(fixes.unmet, 'position')} left out: late, so never evaluated")
    devices = sum(len(each.device_ids) for each in fixes.trackers.values())
    console.print(
        f"{counted(len(fixes), 'position')} of {counted(devices, 'device')}, "
        f"{counted(len(history.numbers), 'revision')}: {counted(len(events), 'event')}"
    )


def _read_revisions(path: Path, bar: Progress) -> "ExportedRevisions":
    """Raises Refused that lists the first faults: without one of the changes other events would be found."""
    from ingest.decoding.blocks import UnreadableFile  # noqa: PLC0415 - as above
    from service.rewinding.lines import LineFaults  # noqa: PLC0415 - as above
    from service.rewinding.revisions import read_revisions  # noqa: PLC0415 - as above

    faults = LineFaults(SHOWN)
    task = bar.add_task("Reading revisions", total=path.stat().st_size)
    try:
        history = read_revisions(path, faults, lambda done: bar.update(task, completed=done))
    except UnreadableFile as error:
        raise Refused(str(error)) from None
    if faults.counts:
        lines = [f"  {fault}" for fault in sorted(faults.first)]
        more = faults.counts.total() - len(lines)
        lines += [f"  and {more:,} more"] if more else []
        raise Refused("\n".join([f"{path} has {counted(faults.counts.total(), 'fault')}:", *lines]))
    return history


def _read_fixes(
    path: Path, history: "ExportedRevisions", faults: "LineFaults", bar: Progress
) -> "ExportedFixes":
    from ingest.decoding.blocks import UnreadableFile  # noqa: PLC0415 - as above
    from service.rewinding.fixes import read_fixes  # noqa: PLC0415 - as above

    task = bar.add_task("Reading positions", total=path.stat().st_size)
    try:
        return read_fixes(path, history, faults, lambda done: bar.update(task, completed=done))
    except UnreadableFile as error:
        raise Refused(str(error)) from None
