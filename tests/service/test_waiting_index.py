"""What is asked in every commit is answered by an index, however long the history is."""

from pathlib import Path

from service.ownership.owned_shards import ALL_SHARDS
from service.store.positions import any_waiting, due, last_waiting_receipt
from tests.service.plans import plans
from tests.service.workshop import Workshop
from tests.stores import SqliteStore


def test_fixes_that_wait_are_found_by_their_index_and_never_by_reading_the_history(
    tmp_path: Path, migrated: Path
) -> None:
    workshop = Workshop(SqliteStore.copied(migrated, tmp_path), window=30)
    workshop.ingest(workshop.fix("x", 0, 1))
    with plans(workshop.database) as found, workshop.database.read() as connection:
        any_waiting(connection, ALL_SHARDS)
        last_waiting_receipt(connection, ALL_SHARDS)
        due(connection, 1 << 60, 10, ALL_SHARDS)

    assert len(found) == 3
    assert all("USING" in plan and "position_waiting" in plan for plan in found), found
    assert not any(line == "SCAN position" for plan in found for line in plan.splitlines()), found
