"""The geofence engine beside bare GEOS in bulk and beside the one-at-a-time loop, by fences and by batch.

Positions are tracks, by time. "geometry" is the index alone, "state" what finds ENTER and EXIT on top of it.
Bare GEOS knows no state; the loop has it. "x GEOS" compares geometry alone, "x loop" both together.
"""

import argparse
import multiprocessing
import resource
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from benchmarks.engine_rows import Row, rows
from benchmarks.engine_scenes import LONG, SCENES
from benchmarks.machine import available_bytes, machine

HEADING = (
    f"{'fences':<9}{'number':>9}{'inside':>7} | {'kernel':<9}{'build s':>8}{'MB':>6}{'peak':>6} |"
    f"{'batch':>8}{'geometry us':>12}{'state us':>9}{'1000/s':>8} |{'GEOS us':>8}{'loop us':>8} |"
    f"{'x GEOS':>7}{'x loop':>7}"
)


def run(*arguments: str) -> None:
    """Prints a table; microseconds are those of one position."""
    options = _options(arguments)
    print(f"{machine()}\n\n{HEADING}", flush=True)
    measured: list[Row] = []
    for name in options.scenes:
        # A process for each, so that no scene leaves its memory to the next.
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
            measured += process.submit(_scene, name, options.rounds).result()
    if options.plot:
        from benchmarks.engine_plot import plot  # noqa: PLC0415 - a second of imports

        plot(measured, options.plot)
        print(f"\n{options.plot} shows it.")


def _options(arguments: tuple[str, ...]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./run bench engine", description=__doc__)
    parser.add_argument(
        "scenes",
        nargs="*",
        metavar="FENCES",
        help=f"of {', '.join(SCENES)}, or all; if left out, all but {_but()}",
    )
    parser.add_argument("--rounds", type=int, default=3, help="times that each way runs (default 3)")
    parser.add_argument("--plot", type=Path, metavar="FILE.png", help="draw it too")
    options = parser.parse_args(arguments)
    unknown = [name for name in options.scenes if name not in {*SCENES, "all"}]
    if unknown:
        parser.error(f"no fences {unknown[0]!r}: expected some of {', '.join(SCENES)}, or all")
    if options.plot and not options.plot.absolute().parent.is_dir():
        parser.error(f"--plot {options.plot}: expected a file in a folder that is there")
    if "all" in options.scenes:
        options.scenes = list(SCENES)
    options.scenes = options.scenes or [name for name in SCENES if name not in LONG]
    return options


def _but() -> str:
    return " and ".join(f"{name} ({why})" for name, why in LONG.items())


def _scene(name: str, rounds: int) -> list[Row]:
    """In a process of its own, which may take what memory is free, and fails alone if that is too little."""
    resource.setrlimit(resource.RLIMIT_AS, (available_bytes(), resource.RLIM_INFINITY))
    measured = []
    for row in rows(name, rounds):
        print(_line(row), flush=True)
        measured.append(row)
    return measured


def _line(row: Row) -> str:
    return (
        f"{row.scene:<9}{row.count:>9,}{row.inside:>7.2f} | "
        f"{row.kernel:<9}{row.seconds:>8.2f}{row.kept:>6.0f}{row.peak:>6.0f} |"
        f"{row.batch:>8,}{row.geometry:>12.3f}{row.state:>9.3f}{1e3 / row.whole:>8,.0f} |{row.geos:>8.3f}"
        f"{row.loop:>8.1f} |{row.times_geos:>7.2f}{row.times_loop:>7.1f}"
    )


if __name__ == "__main__":
    run(*sys.argv[1:])
