"""`overfly geofences import|export` against a running service."""

import json
import socket
from pathlib import Path

import pytest
import typer
from click.testing import Result
from typer.testing import CliRunner

from service.cli.geofences import register
from service.errors import CannotNow, NotFound, OverflyError, Refused
from tests.service.api.ground import Ground, feature_collection, square


def overfly(*arguments: str) -> Result:
    app = typer.Typer()
    register(app)
    return CliRunner().invoke(app, ["geofences", *arguments])


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "fences.geojson"
    path.write_text(json.dumps(feature_collection(*(square(f"g{n}", n / 10, 1) for n in range(1201)))))
    return path


def test_what_was_imported_is_exported_again(ground: Ground, file: Path, tmp_path: Path) -> None:
    url = str(ground.client.base_url)
    imported = overfly("import", str(file), "--url", url)
    assert imported.exit_code == 0
    assert "1,201 geofences created and 0 replaced" in imported.stderr
    output = tmp_path / "out.geojson"
    assert overfly("export", "--url", url, "--output", str(output)).exit_code == 0
    assert json.loads(output.read_text()) == json.loads(file.read_text())
    assert json.loads(overfly("export", "--url", url).stdout) == json.loads(file.read_text())


def test_every_fault_is_named(ground: Ground, tmp_path: Path) -> None:
    first, second = square("first", 1, 1), square("second", 2, 1)
    first["geometry"]["coordinates"][0][2] = [1, 200]
    second["properties"]["dwellSeconds"] = 0
    file = tmp_path / "faulty.geojson"
    file.write_text(json.dumps(feature_collection(first, second)))
    error = overfly("import", str(file), "--url", str(ground.client.base_url)).exception
    assert isinstance(error, Refused)
    assert "feature 0 (id first)" in str(error)
    assert "vertex 2" in str(error)
    assert "dwellSeconds" in str(error)


@pytest.mark.parametrize("command", ["import", "export"])
def test_what_is_wrong_is_said_in_a_sentence(ground: Ground, file: Path, command: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        free = listener.getsockname()[1]
    url = str(ground.client.base_url)
    for more, kind, sentence in [
        (["--url", url, "--collection", "atlantis"], NotFound, "atlantis"),
        (["--url", f"http://127.0.0.1:{free}"], CannotNow, "overfly serve"),
        (["--url", f"{url}/docs"], OverflyError, ""),
        (["--url", "ftp://localhost"], Refused, "http://127.0.0.1:8080"),
    ]:
        error = overfly(command, *([str(file)] if command == "import" else []), *more).exception
        assert isinstance(error, kind)
        assert sentence in str(error)
