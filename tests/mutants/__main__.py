"""`./run mutants [ROOM | FILE ...]`: the kernel is changed in one place after the other; do its tests notice?

mutmut makes the mutants of a room of geofence/, and runs those of the room's own tests (own_tests.py) that
reach the changed function: first with few examples of each property; then, on those that lived, with more.
What mypy refuses counts as noticed. Results stay in .overfly/mutants; those of functions that have not
changed are kept, so that a run may be stopped and continued. `--sample N` tries N of each file's, always the
same ones: a larger sample contains the smaller. `--show` prints the survivors.
"""

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from contextlib import chdir
from pathlib import Path

from mutmut.mutation.file_mutation import mutate_file_contents
from mutmut.utils.format_utils import get_mutant_name, mangled_name_from_mutant_name

from tests.mutants.own_tests import COUNTING_CALLS, NO_ROOM, OWN_TESTS, files_of, modules

REPOSITORY = Path(__file__).parents[2]
FOLDER = REPOSITORY / ".overfly/mutants"

FEW_EXAMPLES, MORE_EXAMPLES = 15, 40
"""Of each property, at most: in the first round, and for the mutants that lived through that."""

CONFIGURATION = """\
[tool.mutmut]
source_paths = ["geofence"]
only_mutate = {files}
also_copy = ["sample_data"]
pytest_add_cli_args = ["-p", "tests.mutants.examples", "-p", "no:cacheprovider"]
pytest_add_cli_args_test_selection = {tests}
type_check_command = [
  "{python}", "-m", "mypy", "--strict", "--disable-error-code=unused-ignore",
  "--disable-error-code=no-any-return", "--output=json",
  "--cache-dir={cache}", {typed}
]
track_dependencies = false
use_git_change_detection = false
timeout_multiplier = 6
timeout_constant = 5

[tool.pytest.ini_options]
addopts = "--strict-markers --import-mode=importlib"
markers = ["soak: takes minutes"]

[[tool.mypy.overrides]]
module = ["rtree.*", "shapely.*", "pyproj.*"]
ignore_missing_imports = true
"""

NOT_RUN = "not run"

FATES = {0: "lived", 1: "failed", 3: "failed", 33: "no test", 37: "mypy", -24: "took long", None: NOT_RUN}
"""By exit code of mutmut's."""

LIVING = ("lived", "no test")

SEED = 6
"""By which samples are drawn."""


def main() -> None:
    """Try the mutants that are asked for, or all, and print what became of them."""
    parser = argparse.ArgumentParser(
        prog="./run mutants", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    rooms = ", ".join(OWN_TESTS)
    parser.add_argument("names", nargs="*", metavar="ROOM | FILE", help=f"of geofence/: {rooms}")
    parser.add_argument("--sample", type=int, metavar="N", help="at most so many mutants of each file")
    parser.add_argument(
        "--show", action="store_true", help="print the survivors of earlier runs; run nothing"
    )
    parser.add_argument("--living", action="store_true", help="try the survivors of earlier runs again")
    asked = parser.parse_args()
    names = [name.strip("/").removeprefix("geofence/") for name in asked.names] or list(OWN_TESTS)
    unknown = [name for name in names if name not in OWN_TESTS and name not in modules()]
    if unknown:
        parser.error(f"{', '.join(unknown)}: expected a file of geofence/ or one of {rooms}")
    for room in OWN_TESTS:
        files = [file for file in files_of(room) if room in names or file in names]
        if files and asked.show:
            _show(room, files)
        elif files:
            _try(room, files, asked.sample, again=asked.living)


def _try(room: str, files: Sequence[str], sample: int | None, *, again: bool) -> None:
    """Run those mutants of a room's files that have no fate yet; or those that lived, `again`."""
    folder = _prepared(room)
    fates = {file: _fates(folder, file) for file in files}
    for file, of_file in fates.items():
        names = sorted(of_file)
        random.Random(f"{SEED} {file}").shuffle(names)  # noqa: S311 (no secret)
        fates[file] = {name: of_file[name] for name in names[:sample]}
    wanted = LIVING if again else (NOT_RUN,)
    asked = [name for of_file in fates.values() for name, fate in of_file.items() if fate in wanted]
    if again:
        _keep_results(folder)
    else:
        _run(folder, asked, FEW_EXAMPLES)
    now = {name: fate for file in files for name, fate in _fates(folder, file).items()}
    _run(folder, [name for name in asked if now[name] in LIVING], MORE_EXAMPLES)
    for file, of_file in fates.items():
        now = _fates(folder, file)
        counts = Counter(now[name] for name in of_file)
        said = ", ".join(f"{fate} {count}" for fate, count in sorted(counts.items()))
        print(f"{file}: {len(of_file)} of {len(now)} mutants: {said}", flush=True)


def _prepared(room: str) -> Path:
    """A folder in which mutmut finds the project, and its configuration for this room."""
    folder = _folder(room)
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("geofence", "tests", "sample_data"):
        link = folder / name
        if not link.exists():
            link.symlink_to(REPOSITORY / name)
        if name != "geofence":  # copied anew
            shutil.rmtree(folder / "mutants" / name, ignore_errors=True)
    files = [f"geofence/{file}" for file in files_of(room)]
    tests = [f"tests/geofence/{name}" for name in OWN_TESTS[room]]
    if room in COUNTING_CALLS:
        tests.append(f"--deselect=tests/geofence/{COUNTING_CALLS[room]}")
    configuration = CONFIGURATION.format(
        files=json.dumps(files),
        typed=json.dumps(files)[1:-1],
        tests=json.dumps(tests),
        python=sys.executable,
        cache=FOLDER / "mypy",
    )
    (folder / "pyproject.toml").write_text(configuration)
    return folder


def _folder(room: str) -> Path:
    return FOLDER / ("no_room" if room == NO_ROOM else room)


def _run(folder: Path, mutants: Sequence[str], examples: int) -> None:
    if not mutants:
        return
    command = [sys.executable, "-m", "mutmut", "run", "--max-children", "1", *mutants]
    environment = {**os.environ, "MUTANTS_EXAMPLES": str(examples)}
    said = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if said.returncode:
        sys.exit(
            f"{folder.name}: mutmut ended with {said.returncode}\n{said.stdout[-500:]}{said.stderr[-3000:]}"
        )


def _keep_results(folder: Path) -> None:
    """Has mutmut keep results though tests were added, which it sees by a hash of their names."""
    file = folder / "mutants/mutmut-stats.json"
    statistics = json.loads(file.read_text())
    statistics.pop("config_fingerprint", None)
    file.write_text(json.dumps(statistics))


def _fates(folder: Path, file: str) -> dict[str, str]:
    """What became of each mutant of the file as it is now."""
    path = Path("geofence") / file
    with chdir(folder):  # where mutmut looks for its configuration
        mutated = mutate_file_contents(str(path), path.read_text(encoding="utf-8"))
    results = folder / "mutants" / f"{path}.meta"
    known = json.loads(results.read_text()) if results.exists() else {}
    hashes, codes = known.get("hash_by_function_name", {}), known.get("exit_code_by_key", {})
    fates = {}
    for short_name in mutated.mutant_names:
        name = get_mutant_name(path, short_name)
        function = mangled_name_from_mutant_name(name).rpartition(".")[2]
        same = mutated.hash_by_function_name.get(function) == hashes.get(function)
        code = codes.get(name) if same else None
        fates[name] = FATES.get(code, f"ended with {code}")
    return fates


def _show(room: str, files: Sequence[str]) -> None:
    folder = _folder(room)
    for file in files:
        for mutant, fate in _fates(folder, file).items():
            if fate in LIVING:
                command = [sys.executable, "-m", "mutmut", "show", mutant]
                shown = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
                print(f"{fate}: {shown.stdout}")


if __name__ == "__main__":
    main()
