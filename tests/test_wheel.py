"""The wheel as others install it: what is in it, and that it runs on the pinned dependencies alone."""

import gzip
import json
import os
import subprocess
import sys
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest

from geofence.kernels import COMPILED
from sample_data.flights import FlightFiles

UV = Path(sys.executable).with_name("uv")


def output_of(*command: str | Path, cwd: Path) -> str:
    """What the command says on stdout; it sees neither this repository nor its packages."""
    environment = {
        name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "VIRTUAL_ENV"}
    }
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def install(python: Path, *arguments: str | Path, cwd: Path) -> None:
    output_of(UV, "pip", "install", "--quiet", "--python", python, *arguments, cwd=cwd)


def built_wheel(repository: Path, folder: Path) -> Path:
    build = [UV, "build", "--quiet", "--wheel", "--no-build-isolation", "--python", sys.executable]
    output_of(*build, "--out-dir", folder, repository, cwd=folder)
    [built] = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def wheel(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built_wheel(repository, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def installed(repository: Path, wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of an environment that holds the wheel and the pinned dependencies."""
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder / "env", with_pip=False, symlinks=True)
    python = folder / "env/bin/python"
    install(python, "--require-hashes", "--requirement", repository / "requirements.lock", cwd=folder)
    install(python, "--no-deps", wheel, cwd=folder)
    return python.parent


def test_wheel_holds_the_three_packages_and_nothing_else(repository: Path, wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    metadata = {name for name in names if ".dist-info/" in name}
    assert {name.split("/")[0] for name in set(names) - metadata} == {"geofence", "ingest", "service"}
    assert any(name.endswith("licenses/LICENSE") for name in metadata)
    sources = {
        str(path.relative_to(repository))
        for package in ("geofence", "ingest", "service")
        for path in (repository / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path.suffix not in {".c", ".h"}
    }
    assert set(names) - metadata == sources


@pytest.mark.parametrize(("variable", "value"), [("OVERFLY_COMPILED", "no"), ("CC", "/usr/bin/false")])
def test_wheel_built_without_a_compiler_is_for_every_machine_and_numpy_serves(
    repository: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    wheel = built_wheel(repository, tmp_path)
    assert wheel.name.endswith("-py3-none-any.whl")
    with zipfile.ZipFile(wheel) as archive:
        assert not [name for name in archive.namelist() if name.endswith((".so", ".c", ".h"))]
        archive.extractall(tmp_path / "content")
    program = "from geofence.kernels import BEST, COMPILED; print(COMPILED, BEST.name)"
    assert output_of(sys.executable, "-c", program, cwd=tmp_path / "content") == "None numpy\n"


def test_wheel_that_must_be_compiled_but_cannot_be_is_not_built(
    repository: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("OVERFLY_COMPILED", "yes")
    monkeypatch.setenv("CC", "/usr/bin/false")
    with pytest.raises(AssertionError, match="build_wheel"):
        built_wheel(repository, tmp_path)


def test_wheel_that_is_compiled_serves_this_python_and_all_that_follow(wheel: Path) -> None:
    compiled = COMPILED is not None
    assert ("-cp311-abi3-" in wheel.name) == compiled
    with zipfile.ZipFile(wheel) as archive:
        libraries = sorted(name for name in archive.namelist() if name.endswith(".so"))
    folders = ("geofence/compiled", "ingest/decoding/compiled")
    assert libraries == [f"{folder}/library.abi3.so" for folder in folders] * compiled


def test_installed_wheel_runs_its_commands(installed: Path, tmp_path: Path) -> None:
    assert "serve" in output_of(installed / "overfly", "--help", cwd=tmp_path)
    assert "OVERFLY_DATA_DIR" in output_of(installed / "overfly", "settings", cwd=tmp_path)


def test_installed_wheel_evaluates(installed: Path, flights: FlightFiles, tmp_path: Path) -> None:
    lines = gzip.decompress(flights.positions.read_bytes()).splitlines(keepends=True)[:5000]
    (tmp_path / "positions.ndjson").write_bytes(b"".join(lines))
    last = json.loads(lines[-1])["timestamp"]
    command = [installed / "overfly", "evaluate", "--geofences", flights.geofences]
    output_of(*command, "--positions", "positions.ndjson", "--output", "events.ndjson", cwd=tmp_path)
    members = ("eventType", "deviceId", "geofenceId", "sampleTime")
    found = [json.loads(line) for line in (tmp_path / "events.ndjson").read_bytes().splitlines()]
    expected = [
        json.loads(line) for line in gzip.decompress(flights.expected_events.read_bytes()).splitlines()
    ]
    # Fixes of the last moment may be cut off; before it the events of a part are a part of the events.
    assert {tuple(e[m] for m in members) for e in found if e["sampleTime"] < last} == {
        tuple(e[m] for m in members) for e in expected if e["sampleTime"] < last
    }


def test_ingest_runs_on_its_own_group_of_dependencies(repository: Path, wheel: Path, tmp_path: Path) -> None:
    group = tomllib.loads((repository / "pyproject.toml").read_text())["dependency-groups"]["ingest"]
    venv.create(tmp_path / "env", with_pip=False, symlinks=True)
    python = tmp_path / "env/bin/python"
    install(python, "--constraint", repository / "requirements.lock", *group, cwd=tmp_path)
    install(python, "--no-deps", wheel, cwd=tmp_path)
    program = (
        "import importlib, pkgutil, ingest\n"
        "names = [module.name for module in pkgutil.walk_packages(ingest.__path__, 'ingest.')]\n"
        "print(len([importlib.import_module(name) for name in names]))\n"
    )
    assert int(output_of(python, "-c", program, cwd=tmp_path)) > 5
