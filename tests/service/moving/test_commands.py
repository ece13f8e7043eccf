"""`overfly export --everything` and `overfly import`."""

import gzip
from pathlib import Path

import pytest
import typer
from click.testing import Result
from typer.testing import CliRunner

from service.cli import everything, export
from service.errors import NotFound, Refused
from service.settings import PREFIX
from service.store.folder import hold
from tests.service.checking.checked import checked
from tests.service.workshop import Workshop, box
from tests.stores import SqliteStore, Store


def run(monkeypatch: pytest.MonkeyPatch, folder: Path, *arguments: str) -> Result:
    monkeypatch.setenv(f"{PREFIX}DATA_DIR", str(folder))
    app = typer.Typer()
    export.register(app)
    everything.register(app)
    return CliRunner().invoke(app, list(arguments))


@pytest.fixture
def used(sqlite_store: Store) -> SqliteStore:
    assert isinstance(sqlite_store, SqliteStore)
    workshop = Workshop(sqlite_store)
    workshop.catalog.put("default", [box("A", 0, 10)])
    workshop.ingest(workshop.fix("x", 0, 1))
    workshop.database.close()
    return sqlite_store


@pytest.mark.parametrize("name", ["all.ndjson", "all.ndjson.gz"])
def test_a_folder_in_use_is_exported_and_imported_elsewhere(
    monkeypatch: pytest.MonkeyPatch, used: SqliteStore, tmp_path: Path, name: str
) -> None:
    file, new = tmp_path / name, tmp_path / "new"
    with hold(used.folder, "serve"):
        done = run(monkeypatch, used.folder, "export", "--everything", str(file))
    assert done.stderr.startswith(f"The whole database exported to {file}, ")
    assert done.exit_code == 0
    done = run(monkeypatch, new, "import", str(file))
    assert done.stderr.endswith(f" rows imported from {file}.\n")
    assert done.exit_code == 0

    database = SqliteStore(new).open()
    findings, violations = checked(database)
    database.close()
    assert violations == []
    assert (findings.proved["positions"], findings.proved["events"]) == (1, 1)


def test_what_cannot_be_is_refused(
    monkeypatch: pytest.MonkeyPatch, used: SqliteStore, tmp_path: Path
) -> None:
    neither = run(monkeypatch, used.folder, "export")
    assert neither.exit_code == 2
    assert "expected one of --output and --everything" in neither.stderr
    nowhere = run(monkeypatch, tmp_path / "none", "export", "--everything", str(tmp_path / "all"))
    assert isinstance(nowhere.exception, NotFound)

    file = tmp_path / "all.ndjson.gz"
    run(monkeypatch, used.folder, "export", "--everything", str(file))
    whole = file.read_bytes()
    for damaged in (whole[:-20], b"no gzip", gzip.compress(b"{}\n")):
        file.write_bytes(damaged)
        done = run(monkeypatch, tmp_path / "new", "import", str(file))
        assert isinstance(done.exception, Refused)
