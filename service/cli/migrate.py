"""`overfly migrate`: brings a database with data to this version's schema."""

import typer
from rich import print as show

from service.bootstrap import open_database, sole_use
from service.settings import read_settings
from service.store.migration import migrate


def register(app: typer.Typer) -> None:
    app.command("migrate")(_migrate)


def _migrate() -> None:
    """Bring the database to the newest schema.

    `serve` does this for an empty database by itself; one with data is moved only by this command. Stop what
    uses the data folder first, and make a copy of it.
    """
    settings = read_settings()
    with sole_use(settings, "migrate"):
        database = open_database(settings)
        try:
            before = migrate(database)
        finally:
            database.close()
    if before.current == before.newest:
        show(f"The database is at schema {before.newest} already: nothing to do.")
    else:
        show(f"The database was {before.current or 'empty'} and is at schema {before.newest} now.")
