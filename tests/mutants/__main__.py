"""`./run mutants [FILE ...]`: the kernel is changed in one place after the other; its tests have to notice.

mutmut makes the mutants of one file at a time, and runs those of the file's own tests (OWN_TESTS) that reach
the changed function: first with few examples of each property; then, on those that lived, with more. What
mypy refuses counts as noticed. Results stay in .overfly/mutants; those of functions that have not changed are
kept, so that a run may be stopped and continued. `--show` prints the survivors.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
FOLDER = REPOSITORY / ".overfly/mutants"

OF_AREAS = ("test_area.py", "test_circle.py", "test_index.py")
OF_CELLS = ("cells", "test_index.py")
OF_SENTENCES = ("test_ring_sentences.py", "test_ring_relation_sentences.py", "test_ring_crossings.py")
OF_READING = (*OF_SENTENCES, "test_rings.py", "test_geojson.py", "test_fuzzed_documents.py")
OF_FORECASTS = ("forecasting",)

OWN_TESTS = {
    "area.py": OF_AREAS,
    "area_columns.py": (*OF_AREAS, "cells/test_cell_index.py"),
    "circle.py": (*OF_AREAS, *OF_CELLS, *OF_FORECASTS),
    "edges.py": (*OF_CELLS, *OF_FORECASTS),
    "ellipsoid.py": (*OF_AREAS, *OF_FORECASTS, "cells/test_covers.py"),
    "faults.py": OF_READING,
    "json_values.py": (*OF_READING, "test_feature_conditions.py"),
    "long_edges.py": ("test_long_edges.py", *OF_READING),
    "loose.py": ("test_index.py", "test_rebuild.py"),
    "packed.py": ("test_index.py", "test_rebuild.py", "cells/test_cell_index.py"),
    "positions.py": ("test_positions.py",),
    "ranges.py": OF_CELLS,
    "ring_faults.py": OF_READING,
    "ring_relations.py": OF_READING,
    "rings.py": OF_READING,
    "cells/circle_cover.py": OF_CELLS,
    "cells/cover.py": OF_CELLS,
    "cells/grid.py": OF_CELLS,
    "cells/index.py": (*OF_CELLS, "test_rebuild.py"),
    "cells/leaves.py": OF_CELLS,
    "cells/parts.py": OF_CELLS,
    "cells/polygon_cover.py": OF_CELLS,
    "cells/steps.py": (*OF_CELLS, "test_rebuild.py"),
    "forecasting/course.py": OF_FORECASTS,
    "forecasting/course_crossings.py": OF_FORECASTS,
    "forecasting/distance.py": OF_FORECASTS,
    "forecasting/forecast.py": OF_FORECASTS,
    "forecasting/vicinity.py": OF_FORECASTS,
}
"""Files of geofence/, and those files and folders of tests/geofence/ that have to notice a change."""

FEW_EXAMPLES, MORE_EXAMPLES = 15, 60
"""Of each property, at most: in the first round, and for the mutants that lived through that."""

CONFIGURATION = """\
[tool.mutmut]
source_paths = ["geofence"]
only_mutate = ["geofence/{file}"]
also_copy = ["sample_data"]
pytest_add_cli_args = ["-p", "tests.mutants.examples", "-p", "no:cacheprovider"]
pytest_add_cli_args_test_selection = {tests}
type_check_command = [
  "{python}", "-m", "mypy", "--strict", "--disable-error-code=unused-ignore", "--output=json",
  "geofence/{file}",
]
track_dependencies = false
use_git_change_detection = false
timeout_multiplier = 8
timeout_constant = 10

[tool.pytest.ini_options]
addopts = "--strict-markers --import-mode=importlib"
markers = ["soak: takes minutes"]

[[tool.mypy.overrides]]
module = ["rtree.*", "shapely.*", "pyproj.*"]
ignore_missing_imports = true
"""

FATES = {0: "lived", 1: "failed", 3: "failed", 33: "no test", 37: "mypy", -24: "took long", None: "not run"}
"""By exit code of mutmut's."""


LIVING = ("lived", "no test", "not run")


def main() -> None:
    """Try the mutants of the files that are named, or of all, and print what became of them."""
    parser = argparse.ArgumentParser(
        prog="./run mutants", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("files", nargs="*", metavar="FILE", help=f"of geofence/: {', '.join(OWN_TESTS)}")
    parser.add_argument(
        "--show", action="store_true", help="print the survivors of earlier runs; run nothing"
    )
    parser.add_argument("--living", action="store_true", help="try the survivors of earlier runs again")
    chosen = parser.parse_args()
    files = [file.removeprefix("geofence/") for file in chosen.files] or list(OWN_TESTS)
    unknown = [file for file in files if file not in OWN_TESTS]
    if unknown:
        parser.error(f"no tests are listed for {', '.join(unknown)}: expected one of {', '.join(OWN_TESTS)}")
    for file in files:
        folder = FOLDER / file.removesuffix(".py").replace("/", "-")
        if chosen.show:
            _show(folder, file)
            continue
        _prepare(folder, file)
        if chosen.living:
            _keep_results(folder)
        else:
            _run(folder, [], FEW_EXAMPLES)
        living = [mutant for mutant, fate in _fates(folder, file).items() if fate in LIVING]
        if living:
            _run(folder, living, MORE_EXAMPLES)
        counts = Counter(_fates(folder, file).values())
        print(
            f"{file}: {counts.total()} mutants:",
            ", ".join(f"{fate} {n}" for fate, n in sorted(counts.items())),
        )


def _prepare(folder: Path, file: str) -> None:
    """A folder in which mutmut finds the project, and its configuration for this one file."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("geofence", "tests", "sample_data"):
        link = folder / name
        if not link.exists():
            link.symlink_to(REPOSITORY / name)
        if name != "geofence":  # copied anew
            shutil.rmtree(folder / "mutants" / name, ignore_errors=True)
    tests = json.dumps([f"tests/geofence/{name}" for name in OWN_TESTS[file]])
    (folder / "pyproject.toml").write_text(
        CONFIGURATION.format(file=file, tests=tests, python=sys.executable)
    )


def _run(folder: Path, mutants: Sequence[str], examples: int) -> None:
    command = [sys.executable, "-m", "mutmut", "run", "--max-children", "1", *mutants]
    environment = {**os.environ, "MUTANTS_EXAMPLES": str(examples)}
    said = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if said.returncode:
        sys.exit(
            f"{folder.name}: mutmut ended with {said.returncode}\n{said.stdout[-3000:]}{said.stderr[-3000:]}"
        )


def _keep_results(folder: Path) -> None:
    """Has mutmut keep results though tests were added, which it sees by a hash of their names."""
    file = folder / "mutants/mutmut-stats.json"
    statistics = json.loads(file.read_text())
    statistics.pop("config_fingerprint", None)
    file.write_text(json.dumps(statistics))


def _fates(folder: Path, file: str) -> dict[str, str]:
    """What became of each mutant."""
    results = folder / "mutants/geofence" / f"{file}.meta"
    codes = json.loads(results.read_text())["exit_code_by_key"] if results.exists() else {}
    return {mutant: FATES.get(code, f"ended with {code}") for mutant, code in codes.items()}


def _show(folder: Path, file: str) -> None:
    for mutant, fate in _fates(folder, file).items():
        if fate in LIVING:
            command = [sys.executable, "-m", "mutmut", "show", mutant]
            shown = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
            print(f"{fate}: {shown.stdout}")


if __name__ == "__main__":
    main()
