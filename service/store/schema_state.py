"""Which schema a database is at, and whether that is the one this version wants.

Asked whenever something opens the database, so without alembic, which takes a third of a second to import:
that is for the one time when something is to be migrated.
"""

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, inspect, text

from service.errors import SchemaNotReady
from service.store.database import Database
from service.store.schema import metadata

MIGRATIONS = Path(__file__).parent.parent / "migrations"
ALEMBICS_OWN = "alembic_version"
"""The table that has the revision. https://alembic.sqlalchemy.org/en/latest/api/runtime.html"""


@dataclass(frozen=True, slots=True)
class SchemaState:
    """current: the revision the database is at, None where it is empty. newest: that of this version."""

    current: str | None
    newest: str


def schema_state(connection: Connection) -> SchemaState:
    """Raises SchemaNotReady where the installation has no migrations."""
    return SchemaState(_current(connection), _newest())


def prepare(database: Database) -> None:
    """Brings an empty database to the newest schema. Raises SchemaNotReady where it has data of another."""
    with database.read() as connection:
        state = schema_state(connection)
        empty = state.current is None and not _tables_of_ours(connection)
    if empty:
        from service.store.migration import migrate  # noqa: PLC0415 - a third of a second, once

        migrate(database)
    elif state.current != state.newest:
        raise SchemaNotReady(
            f"the database is at schema {state.current}, this version wants {state.newest}: "
            "stop every process that uses it, make a copy, then run `overfly migrate`"
        )


def _current(connection: Connection) -> str | None:
    if not inspect(connection).has_table(ALEMBICS_OWN):
        return None
    revision: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return revision


def _newest() -> str:
    """The files of migrations are named after their revisions, which are numbers in a row."""
    names = [each.name for each in (MIGRATIONS / "versions").glob("[0-9]*_*.py")]
    if not names:
        raise SchemaNotReady(f"no migrations in {MIGRATIONS}: the installation is broken")
    return max(names).partition("_")[0]


def _tables_of_ours(connection: Connection) -> set[str]:
    return metadata.tables.keys() & set(inspect(connection).get_table_names())
