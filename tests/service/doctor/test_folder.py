"""What the doctor says of the data folder and its database."""

from pathlib import Path

from service.doctor.folder import database_finding, folder_findings
from service.store.folder import hold
from service.store.schema_state import prepare
from service.store.sqlite import open_sqlite


def test_the_folder_is_looked_at_and_not_made(tmp_path: Path) -> None:
    data = tmp_path / "data"
    (finding,) = folder_findings(data)
    assert "does not exist yet" in finding.detail
    assert not data.exists()

    database = open_sqlite(data)
    assert "empty" in database_finding(database).detail
    prepare(database)
    assert "schema 0009" in database_finding(database).detail
    with hold(data, "serve"):
        assert "held by overfly serve" in next(iter(folder_findings(data))).detail
