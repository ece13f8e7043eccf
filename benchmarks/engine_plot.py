"""The engine's table as a picture: how many times as fast as bare GEOS, and microseconds a position."""

from collections.abc import Callable, Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from benchmarks.engine_rows import Row
from benchmarks.engine_scenes import SERIES

# Okabe and Ito's colours, which all eyes can tell apart; https://jfly.uni-koeln.de/color/
BLUE, ORANGE, GREEN, PURPLE, GREY = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#555555"
COLOURS = {500: GREEN, 5_000: BLUE, 100_000: ORANGE}
"""Of sizes of batches."""

MARKERS = {500: "^", 5_000: "o", 100_000: "s"}
STYLES = {"numpy": "-", "compiled": "--"}
"""Of kernels."""

SHOWN = 5_000
"""The batch of microseconds a position, and of the scenes that are points."""

Value = Callable[[Row], float]


def plot(rows: Sequence[Row], path: Path) -> None:
    """Draws the rows of some scenes into a PNG file."""
    figure = Figure(figsize=(12, 5), layout="constrained")
    ratio, time = figure.subplots(1, 2)
    _ratios(ratio, rows)
    _times(time, rows)
    figure.savefig(path, dpi=110, metadata={"Software": None})


def _ratios(axes: Axes, rows: Sequence[Row]) -> None:
    axes.set_title("Geometry alone: times as fast as bare GEOS", loc="left")
    axes.axhline(1, color=GREY, linewidth=1)
    for kernel in _kernels(rows):
        for batch, colour in COLOURS.items():
            some = [row for row in rows if (row.kernel, row.batch) == (kernel, batch)]
            label = f"batches of {batch:,}, {kernel}"
            _line(axes, some, _times_geos, STYLES[kernel], colour, MARKERS[batch], label)
    single = [row for row in rows if row.scene not in SERIES and row.batch == SHOWN]
    _points(axes, single, _times_geos)
    _finish(axes, room=2, columns=len(_kernels(rows)))


def _times(axes: Axes, rows: Sequence[Row]) -> None:
    axes.set_title(f"Microseconds a position, batches of {SHOWN:,}", loc="left")
    some = [row for row in rows if row.batch == SHOWN]
    kernels = _kernels(rows)
    _line(axes, some, lambda row: row.loop, "-", PURPLE, "D", "one position at a time, geometry and state")
    beside_first = [row for row in some if row.kernel == kernels[0]]  # it is measured beside each
    _line(axes, beside_first, lambda row: row.geos, "-", ORANGE, "s", "bare GEOS, geometry alone")
    for kernel in kernels:
        of_kernel = [row for row in some if row.kernel == kernel]
        label = f"Overfly, geometry and state, {kernel}"
        _line(axes, of_kernel, lambda row: row.whole, STYLES[kernel], BLUE, "o", label)
    _finish(axes, room=8, columns=1)


def _times_geos(row: Row) -> float:
    return row.times_geos


def _kernels(rows: Sequence[Row]) -> list[str]:
    return [kernel for kernel in STYLES if any(row.kernel == kernel for row in rows)]


def _line(
    axes: Axes, rows: Sequence[Row], value: Value, style: str, colour: str, marker: str, label: str
) -> None:
    """The simulated geofences, which differ in nothing but their number."""
    series = sorted({(row.count, value(row)) for row in rows if row.scene in SERIES})
    if series:
        columns = zip(*series, strict=True)
        axes.plot(*columns, style, color=colour, marker=marker, markersize=6, linewidth=1.8, label=label)


def _points(axes: Axes, rows: Sequence[Row], value: Value) -> None:
    """The other scenes, each with its name beside the highest of its points."""
    best = {row.scene: row for row in sorted(rows, key=value)}
    counts = sorted(row.count for row in best.values())
    for row in rows:
        fill = "white" if row.kernel == "numpy" else None
        axes.plot(row.count, value(row), "o", color=COLOURS[SHOWN], markerfacecolor=fill, markersize=7)
    for scene, row in best.items():
        crowded = any(row.count < count < 2 * row.count for count in counts)
        axes.annotate(
            scene,
            (row.count, value(row)),
            xytext=(-8 if crowded else 8, 4),
            textcoords="offset points",
            ha="right" if crowded else "left",
            fontsize=9,
            color=GREY,
        )


def _finish(axes: Axes, room: float, columns: int) -> None:
    """Scales, grid, and the legend in so many columns, for which there is `room` times the height above."""
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_ylim(top=axes.get_ylim()[1] * room)
    axes.set_xlabel("geofences")
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_minor_locator(NullLocator())
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.12g}"))
    axes.grid(which="major", color="#DDDDDD", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize=9, loc="upper left", ncols=columns)
