"""`overfly evaluate`: events from files, without servers."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.console import Console
from rich.progress import Progress

from service.cli.freed_memory import keep_freed_memory
from service.cli.geofence_file import SHOWN, counted, read_geofence_file
from service.cli.output_file import output_file, say_refused, write_parts
from service.cli.rewinding import rewind
from service.cli.state_option import Carrying
from service.crossing_rule import DEFAULT_RULE, SEGMENT, CrossingRule, changed, rule_faults
from service.errors import Refused
from service.settings import read_settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from geofence.geofence import Geofence
    from ingest.decoding.ndjson import OfflinePositions


def register(app: typer.Typer) -> None:
    app.command("evaluate")(_evaluate)


def _evaluate(
    positions: Annotated[
        Path,
        typer.Option(
            exists=True, dir_okay=False, readable=True, help="A position a line (NDJSON), .gz or not."
        ),
    ],
    geofences: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, readable=True, help="FeatureCollection (GeoJSON)."),
    ] = None,
    revisions: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            readable=True,
            help="Instead of --geofences: what `overfly export` wrote beside the positions (.gz or not).",
        ),
    ] = None,
    output: Annotated[
        Path | None, typer.Option(dir_okay=False, help="Where the events go (NDJSON); stdout when not given.")
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Fail, without any event, if a line is refused.")
    ] = False,
    state: Annotated[
        Path | None,
        typer.Option(
            dir_okay=False,
            help="With --geofences: go on from what the evaluation of earlier positions left in this file, "
            "and leave there what comes after; begin anew if it is not there yet.",
        ),
    ] = None,
    unknown_altitude: Annotated[
        Literal["outside", "inside"] | None,
        typer.Option(
            help="Where a position without altitude is, of a geofence with minAltitude or maxAltitude; as in "
            "OVERFLY_UNKNOWN_ALTITUDE when not given."
        ),
    ] = None,
    crossing: Annotated[
        Literal["fix", "segment"] | None,
        typer.Option(
            help="With --geofences: at positions only (fix, when not given), or also on the straight path "
            "between two of them (segment)."
        ),
    ] = None,
    max_gap: Annotated[
        float | None,
        typer.Option(
            help="With --crossing segment: the most SECONDS between two positions; 300 when not given."
        ),
    ] = None,
    max_speed: Annotated[
        float | None,
        typer.Option(help="With --crossing segment: the greatest speed, in M/S; 1000 when not given."),
    ] = None,
) -> None:
    """Find who entered, left and stayed in what, in a file of positions; needs no server.

    With --geofences, positions are what devices send. They are taken by timestamp, whatever their order in
    the file, and as old or new as they are.

    With --revisions, positions are what `overfly export` wrote. Each meets the geofences that it met then,
    crossed as their collections were then, and the events are those that were stored, ids included.

    With --state, files evaluated one after the other give the events of all at once, as long as none has
    positions of a device that are earlier than those before; such are left out, and counted.

    Refused lines are skipped and counted by reason on stderr. Exit status 1 if the geofences have faults.
    """
    if (geofences is None) == (revisions is None):
        raise typer.BadParameter("expected one of --geofences and --revisions")
    if state is not None and geofences is None:
        raise typer.BadParameter("--state goes with --geofences: an export holds all that went before")
    rule = _rule(crossing, max_gap, max_speed, anew=geofences is not None)
    keep_freed_memory()
    inside = (unknown_altitude or read_settings().unknown_altitude) == "inside"
    if geofences is not None:
        _evaluate_anew(
            positions, geofences, output, state, rule, strict=strict, unknown_altitude_inside=inside
        )
    if revisions is not None:
        rewind(positions, revisions, output, strict=strict, unknown_altitude_inside=inside)


def _rule(
    crossing: str | None, max_gap: float | None, max_speed: float | None, *, anew: bool
) -> CrossingRule:
    """How the geofences of a file are crossed. Raises BadParameter."""
    if not anew and (crossing, max_gap, max_speed) != (None, None, None):
        raise typer.BadParameter(
            "expected --crossing, --max-gap and --max-speed with --geofences only: "
            "the revisions say how geofences were crossed"
        )
    if crossing != SEGMENT and (max_gap, max_speed) != (None, None):
        raise typer.BadParameter("expected --max-gap and --max-speed with --crossing segment only")
    faults = rule_faults(crossing, max_gap, max_speed)
    if faults:
        options = {"maxGapSeconds": "--max-gap", "maxSpeed": "--max-speed"}
        raise typer.BadParameter(
            "; ".join(f"{options[name]} {value}: {said}" for name, value, said in faults)
        )
    return changed(DEFAULT_RULE, crossing, max_gap, max_speed)


def _evaluate_anew(
    positions: Path,
    geofences: Path,
    output: Path | None,
    state: Path | None,
    rule: CrossingRule,
    *,
    strict: bool,
    unknown_altitude_inside: bool,
) -> None:
    from service.offline_evaluation import evaluated, event_lines  # noqa: PLC0415 - half a second of imports

    console = Console(stderr=True, highlight=False)
    areas = read_geofence_file(geofences)
    carrying = Carrying(state, areas, rule, unknown_altitude_inside=unknown_altitude_inside)
    with (
        output_file(output) as stream,
        Progress(console=console, transient=True, disable=not console.is_terminal) as bar,
    ):
        read = _read_positions(positions, bar, areas)
        if strict and read.rejects:
            _say_rejects(console, read)
            raise Refused(f"{positions}: {read.rejects.total():,} lines refused, and --strict takes none")
        earlier = carrying.earlier(read)
        task = bar.add_task("Evaluating", total=len(read))
        events = evaluated(
            read,
            areas,
            lambda done: bar.update(task, completed=done),
            rule=rule,
            unknown_altitude_inside=unknown_altitude_inside,
            carried=carrying.carried,
        )
        write_parts(stream, event_lines(events, read, areas))
    carrying.keep()
    _say_rejects(console, read)
    if earlier:
        sentence = f"{counted(earlier, 'position')} left out: not after what {state} has of the device"
        console.print(sentence, markup=False, soft_wrap=True)
    console.print(
        f"{counted(len(read), 'position')} of {counted(len(read.device_ids), 'device')}, "
        f"{counted(len(areas), 'geofence')}: {counted(len(events), 'event')}"
    )


def _is_volume(geofence: "Geofence") -> bool:
    asked = geofence.conditions
    return asked.min_altitude is not None or asked.max_altitude is not None


def _read_positions(path: Path, bar: Progress, areas: "Sequence[Geofence]") -> "OfflinePositions":
    from ingest.decoding.decoder import DecodeLimits  # noqa: PLC0415 - as above
    from ingest.decoding.ndjson import UnreadableFile, read_positions  # noqa: PLC0415 - as above

    task = bar.add_task("Reading", total=path.stat().st_size)
    try:
        return read_positions(
            path,
            DecodeLimits(max_ahead=None, oldest=None),
            lambda done: bar.update(task, completed=done),
            listed=SHOWN,
            altitudes=any(map(_is_volume, areas)),
            properties=[name for area in areas for name in area.conditions.property_names],
        )
    except UnreadableFile as error:
        raise Refused(str(error)) from None


def _say_rejects(console: Console, read: "OfflinePositions") -> None:
    first = (
        f"{'' if reject.item is None else f'line {reject.item + 1}: '}{reject.reason}: {reject.detail}"
        for reject in read.first_rejects
    )
    say_refused(console, first, read.rejects)
