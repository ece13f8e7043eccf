"""`overfly db check` beside what works."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
import typer
from click.testing import Result
from typer.testing import CliRunner

from service.cli.db import register
from service.errors import NotFound
from service.settings import PREFIX
from service.store.folder import hold
from tests.service.workshop import Workshop, box
from tests.stores import Store

Check = Callable[..., Result]


@pytest.fixture
def check(monkeypatch: pytest.MonkeyPatch) -> Check:
    """Runs it with settings."""

    def run(settings: Mapping[str, str], *options: str) -> Result:
        for name, value in settings.items():
            monkeypatch.setenv(f"{PREFIX}{name}", value)
        app = typer.Typer()
        register(app)
        return CliRunner().invoke(app, ["db", "check", *options])

    return run


def test_a_database_that_others_work_with_passes(store: Store, tmp_path: Path, check: Check) -> None:
    folder = Path(store.settings.get("DATA_DIR", tmp_path))
    workshop = Workshop(store)
    workshop.catalog.put("default", [box("A", 0, 10)])
    workshop.ingest(workshop.fix("x", 0, 1), workshop.fix("x", 1, 11))

    with hold(folder, "serve"), workshop.database.write() as connection:
        connection.exec_driver_sql("UPDATE device SET longitude = 5")
        done = check(store.settings)
        connection.exec_driver_sql("UPDATE device SET longitude = 11")

    assert done.stderr == ""
    assert done.exit_code == 0
    assert "All is as its history says: " in done.stdout
    assert "2 positions, 1 devices, 2 evaluated positions, 2 events" in done.stdout


def test_violations_are_told_one_a_line_with_exit_status_1(sqlite_store: Store, check: Check) -> None:
    workshop = Workshop(sqlite_store)
    workshop.catalog.put("default", [box("A", 0, 10)])
    workshop.ingest(workshop.fix("x", 0, 1), workshop.fix("x", 1, 11))
    with workshop.database.write() as connection:
        connection.exec_driver_sql("UPDATE device SET longitude = 5")
        connection.exec_driver_sql("DELETE FROM event WHERE event_type = 'EXIT'")

    done = check(sqlite_store.settings, "--json")

    assert done.exit_code == 1
    latest, event, counts = map(json.loads, done.stdout.splitlines())
    assert latest["check"] == "latest"
    assert latest["tracker"], latest["device"] == ("default", "x")
    assert latest["stored"].startswith("[5.0, 0.0] at ")
    assert latest["expected"].startswith("[11.0, 0.0] at ")
    assert (event["check"], event["stored"]) == ("event", "nothing")
    assert counts["violations"] == 2
    assert counts["proved"]["positions"] == 2


def test_where_there_is_no_database_it_says_so(tmp_path: Path, check: Check) -> None:
    done = check({"DATA_DIR": str(tmp_path / "none")})
    assert isinstance(done.exception, NotFound)
    assert "there is no database in" in str(done.exception)
    assert not (tmp_path / "none").exists()
