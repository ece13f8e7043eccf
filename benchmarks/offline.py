"""`overfly evaluate` beside the straightforward loop: ten copies of real flights, process start to exit."""

import gzip
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from sample_data.flights import DEFAULT_FOLDER, FlightFiles, build

COPIES = 10


def run() -> None:
    """Prints seconds and the ratio; both write the same events."""
    flights = build(DEFAULT_FOLDER, lambda text: print(text, file=sys.stderr))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        positions = folder / "positions.ndjson.gz"
        count = write_copies(flights, positions, COPIES)
        files = ["--geofences", str(flights.geofences), "--positions", str(positions)]
        overfly = str(Path(sys.executable).with_name("overfly"))
        ours = _seconds([overfly, "evaluate", *files, "--output", str(folder / "ours.ndjson")])
        loop = [sys.executable, "-m", "benchmarks.one_at_a_time", str(flights.geofences), str(positions)]
        theirs = _seconds([*loop, str(folder / "loop.ndjson")])
        events = _events(folder / "ours.ndjson")
        assert events == _events(folder / "loop.ndjson"), "the two found other events"
    print(f"offline: {count:,} positions, gzipped NDJSON to NDJSON, {len(events):,} events, start to exit")
    print(f"  overfly evaluate             {ours:7.2f} s")
    print(f"  one at a time (json, rtree)  {theirs:7.2f} s")
    print(f"  ratio                        {theirs / ours:7.1f}   (10 wanted)")


def write_copies(flights: FlightFiles, path: Path, copies: int) -> int:
    """Each fix of the flights so many times, of devices <id>-0, <id>-1, ...; gives their number."""
    count = 0
    with gzip.open(flights.positions, "rb") as lines, gzip.open(path, "wb", compresslevel=1) as out:
        for line in lines:
            head, device_id, rest = line.split(b'"', 4)[:3], *line.split(b'"', 4)[3:]
            for copy in range(copies):
                out.write(b'"'.join([*head, b"%s-%d" % (device_id, copy), rest]))
            count += copies
    return count


def _seconds(command: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - start


def _events(path: Path) -> set[tuple[str, ...]]:
    names = ("eventType", "deviceId", "geofenceId", "sampleTime")
    with path.open("rb") as lines:
        return {tuple(event[name] for name in names) for event in map(json.loads, lines)}


if __name__ == "__main__":
    run()
