"""`overfly import`, and `overfly export --everything`: a whole database, from one store into another.

`overfly import amazon-location` stands beside it: what is no source that has a name is a file.
"""

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, BinaryIO

import typer
from rich.console import Console
from rich.progress import TextColumn
from typer.core import TyperGroup

from service.cli import amazon_location
from service.cli.running_service import bar_with
from service.cli.whole_file import whole_file
from service.errors import Refused
from service.settings import read_settings

FILE = "file"


class _FileOrSource(TyperGroup):
    """`overfly import FILE` means `overfly import file FILE`."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Of click, whose names Typer keeps to itself."""
        named = args[:1] and args[0] in self.commands
        return super().resolve_command(ctx, args if named else [FILE, *args])


def register(app: typer.Typer) -> None:
    group = typer.Typer(
        cls=_FileOrSource,
        help="Take in what another database has, by `overfly import FILE`, or what Amazon Location has.",
        no_args_is_help=True,
        subcommand_metavar="FILE | SOURCE ...",
    )
    group.command(FILE)(_import)
    amazon_location.register(group)
    app.add_typer(group, name="import")


def _import(
    file: Annotated[
        Path,
        typer.Argument(
            exists=True, dir_okay=False, readable=True, help="What `overfly export --everything` wrote."
        ),
    ],
) -> None:
    """Take a whole database into the one that the settings name, which holds nothing yet.

    All of it in one transaction, or nothing: what is wrong with a file is said by its lines. From SQLite to
    PostGIS, from PostGIS to SQLite, or between two of a kind. What goes on then gives the same events as if
    nothing had moved; `overfly db check` proves that all has come.
    """
    from service.bootstrap import open_database, sole_use  # noqa: PLC0415 - a second that export does not need
    from service.moving.importing import import_lines  # noqa: PLC0415 - as above
    from service.store.schema_state import prepare  # noqa: PLC0415 - as above

    settings = read_settings()
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    with (
        sole_use(settings, "import"),
        _lines(file) as lines,
        bar_with(console, TextColumn("{task.completed:,} rows")) as bar,
    ):
        task = bar.add_task(f"Importing {file.name}", total=None)
        database = open_database(settings)
        try:
            prepare(database)
            rows = import_lines(database, lines, settings.retention_days, lambda n: bar.advance(task, n))
        finally:
            database.close()
    console.print(f"{rows:,} rows imported from {file}.")


def export_everything(path: Path, console: Console) -> None:
    """Writes the database that the settings name into a file. Raises Refused, NotFound, StoreAway."""
    from service.cli.opened_database import opened_with_data  # noqa: PLC0415 - a second, not always needed
    from service.moving.exporting import exported_lines  # noqa: PLC0415 - as above

    database = opened_with_data(read_settings())
    try:
        with bar_with(console, TextColumn("{task.completed:,} lines")) as bar:
            task = bar.add_task(f"Exporting {path.name}", total=None)
            lines = whole_file(path, exported_lines(database), lambda done: bar.update(task, completed=done))
    finally:
        database.close()
    console.print(f"The whole database exported to {path}, {lines:,} lines.")


@contextmanager
def _lines(path: Path) -> Iterator[BinaryIO]:
    try:
        if path.suffix == ".gz":
            with gzip.open(path) as stream:
                yield stream  # type: ignore[misc]  # a binary stream to read from, whatever its class is called
        else:
            with path.open("rb") as file:
                yield file
    except (OSError, EOFError, zlib.error) as error:
        raise Refused(f"{path} cannot be read: {error}") from None
