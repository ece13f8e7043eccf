"""The database that settings name, for commands that only read it, beside whoever works with it."""

from service.bootstrap import open_database
from service.errors import NotFound, SchemaNotReady
from service.settings import Settings
from service.store.database import Database
from service.store.schema_state import schema_state
from service.store.sqlite import DATABASE_FILE


def opened_with_data(settings: Settings) -> Database:
    """Raises NotFound where there is none, SchemaNotReady where it is at another schema, StoreAway."""
    if settings.database_url is None and not (settings.data_dir / DATABASE_FILE).exists():
        raise NotFound(f"there is no database in {settings.data_dir}: set OVERFLY_DATA_DIR to where one is")
    database = open_database(settings)
    with database.read() as connection:
        schema = schema_state(connection)
    if schema.current != schema.newest:
        database.close()
        raise SchemaNotReady(
            f"the database is at schema {schema.current or 'none'}, this version reads {schema.newest}: "
            "run `overfly migrate` first"
        )
    return database
