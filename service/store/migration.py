"""The database's schema, brought to the newest by the migrations in `service/migrations`."""

from dataclasses import dataclass
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect

from service.errors import SchemaNotReady
from service.store.database import Database

MIGRATIONS = Path(__file__).parent.parent / "migrations"


@dataclass(frozen=True, slots=True)
class SchemaState:
    """current: the revision the database is at, None where it is empty. newest: that of this version."""

    current: str | None
    newest: str


def schema_state(connection: Connection) -> SchemaState:
    newest = ScriptDirectory.from_config(_config()).get_current_head()
    if newest is None:
        raise SchemaNotReady(f"no migrations in {MIGRATIONS}: the installation is broken")
    return SchemaState(MigrationContext.configure(connection).get_current_revision(), newest)


def migrate(database: Database) -> SchemaState:
    """Brings the schema to the newest; answers what it was before."""
    with database.write() as connection:
        before = schema_state(connection)
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    return before


def prepare(database: Database) -> None:
    """Brings an empty database to the newest schema. Raises SchemaNotReady where it has data of another."""
    with database.read() as connection:
        state = schema_state(connection)
        empty = state.current is None and not inspect(connection).get_table_names()
    if empty:
        migrate(database)
    elif state.current != state.newest:
        raise SchemaNotReady(
            f"the database is at schema {state.current}, this version wants {state.newest}: "
            "stop every process that uses it, make a copy, then run `overfly migrate`"
        )


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    return config
