"""The database's schema, brought to the newest by the migrations in `service/migrations`."""

import warnings
from typing import Any

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, text
from sqlalchemy.exc import DatabaseError, DBAPIError

from service.errors import SchemaNotReady
from service.store.columns import on_postgres
from service.store.database import Database
from service.store.refusal import first_line, sentence
from service.store.schema import event, metadata, position
from service.store.schema_state import MIGRATIONS, SchemaState, schema_state
from service.store.turns import Turn, wait_for_turn


def migrate(database: Database) -> SchemaState:
    """Brings the schema to the newest; answers what it was before. Who comes meanwhile waits.

    All or nothing: where a step fails the database stays at the schema at which it was. Raises StoreAway,
    and SchemaNotReady where a step cannot be done, or PostGIS is missing and cannot be had.
    """
    with database.write() as connection:
        if on_postgres(connection):
            connection.execute(text("SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0"))
            wait_for_turn(connection, Turn.MIGRATION)
            _need_postgis(connection)
        before = schema_state(connection)
        config = _config()
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except DBAPIError as error:
            raise SchemaNotReady(
                f"the migration to schema {before.newest} failed and changed nothing, the database stays at "
                f"{before.current or 'none'} ({sentence(error)}): what runs may go on; mend that and run "
                "`overfly migrate` again"
            ) from error
    return before


def differences(connection: Connection) -> list[Any]:
    """How the database's tables differ from those that the code uses; nothing where all is well."""

    def compared(part: Any, name: str | None, kind: str, reflected: bool, _: Any) -> bool:
        if reflected:
            return kind != "table" or name in metadata.tables
        if kind == "foreign_key_constraint" and part.table in (position, event):
            return dialect == "sqlite"
        return bool(part.info.get("only", dialect) == dialect)

    dialect = connection.dialect.name
    options = {"compare_type": True, "include_object": compared, "target_metadata": metadata}
    with warnings.catch_warnings():  # of indexes on expressions, which SQLite cannot tell of
        warnings.filterwarnings("ignore", "autogenerate skipping metadata-specified expression-based index")
        return list(compare_metadata(MigrationContext.configure(connection, opts=options), metadata))


def _need_postgis(connection: Connection) -> None:
    try:
        connection.execute(text("CREATE EXTENSION IF NOT EXISTS postgis"))
    except DatabaseError as error:
        raise SchemaNotReady(
            f"the database has no PostGIS ({first_line(error)}): install it beside the server (Debian: "
            "postgresql-postgis), and have a superuser run `CREATE EXTENSION postgis` in the database"
        ) from error


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    return config
