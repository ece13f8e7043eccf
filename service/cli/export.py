"""`overfly export`: what is needed to evaluate the past again, or the whole database, to be imported
elsewhere.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Protocol

import msgspec
import typer
from rich.console import Console
from rich.progress import TextColumn

from service.cli.everything import export_everything
from service.cli.geofence_file import counted
from service.cli.running_service import HERE, Page, Url, bar_with, client_of, pages_of
from service.cli.whole_file import whole_file
from service.errors import NotFound
from service.settings import read_settings

if TYPE_CHECKING:
    import httpx

FIXES, REVISIONS = "fixes.ndjson", "revisions.ndjson"


def register(app: typer.Typer) -> None:
    app.command("export")(_export)


def _export(
    output: Annotated[
        Path | None,
        typer.Option(file_okay=False, help=f"Folder in which {FIXES} and {REVISIONS} are written."),
    ] = None,
    everything: Annotated[
        Path | None,
        typer.Option(
            dir_okay=False,
            help="File into which the whole database is written instead, for `overfly import`; .gz or not.",
        ),
    ] = None,
    tracker: Annotated[
        str | None, typer.Option(help="Name of the tracker; all trackers when not given.")
    ] = None,
    url: Url = HERE,
    from_folder: Annotated[
        bool, typer.Option("--from-folder", help="Read OVERFLY_DATA_DIR, which nothing may hold, instead.")
    ] = False,
    gzipped: Annotated[
        bool, typer.Option("--gzip", help="Compress both; .gz is added to their names.")
    ] = False,
) -> None:
    """Write all evaluated positions, and the geofences and links that they met, for `evaluate --revisions`.

    Late positions are written too, marked `late`; those that still wait for their turn are not. The service
    may go on working: of each device a beginning of its history is written, and then every revision.

    With --everything the database that the settings name is written as it is in one moment, beside whoever
    works with it: all trackers with positions of every kind, state, geofences, events, alerts, rejects.
    """
    if (output is None) == (everything is None):
        raise typer.BadParameter("expected one of --output and --everything")
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    if everything is not None:
        if tracker is not None:
            raise typer.BadParameter("all trackers are moved: leave out --tracker with --everything")
        export_everything(everything, console)
    if output is not None:
        _export_history(console, output, tracker, url, from_folder=from_folder, gzipped=gzipped)


def _export_history(
    console: Console, output: Path, tracker: str | None, url: str, *, from_folder: bool, gzipped: bool
) -> None:
    with _folder_source() if from_folder else _service_source(url) as source:
        trackers = [tracker] if tracker else list(source.trackers())
        with bar_with(console, TextColumn("{task.completed:,}")) as bar:

            def write(name: str, pages: Iterable[Lines]) -> int:
                task = bar.add_task(f"Exporting {name}", total=None)
                path = output / (f"{name}.gz" if gzipped else name)
                lines = ([b"%b\n" % item for item in page] for page in pages)
                return whole_file(path, lines, lambda done: bar.update(task, completed=done))

            fixes = write(FIXES, (page for each in trackers for page in source.positions(each)))
            revisions = write(REVISIONS, source.revisions())  # after the fixes: all that they met is there
    console.print(
        f"{counted(fixes, 'position')} of {counted(len(trackers), 'tracker')} and "
        f"{counted(revisions, 'change')} of geofences and links exported to {output}."
    )


Lines = list[msgspec.Raw]
"""Items of a page, as their text stands."""


class Source(Protocol):
    """Where the history is: a service that answers, or a folder that nobody holds."""

    def trackers(self) -> Iterator[str]: ...
    def positions(self, tracker: str) -> Iterator[Lines]: ...
    def revisions(self) -> Iterator[Lines]: ...


class ServiceSource:
    """A running service, asked page by page."""

    def __init__(self, client: "httpx.Client") -> None:
        self._client = client

    def trackers(self) -> Iterator[str]:
        for page in self._pages("/v1/trackers"):
            yield from (msgspec.json.decode(each, type=Named).tracker_name for each in page)

    def positions(self, tracker: str) -> Iterator[Lines]:
        return self._pages("/v1/positions", tracker=tracker)

    def revisions(self) -> Iterator[Lines]:
        return self._pages("/v1/revisions")

    def _pages(self, path: str, **query: str) -> Iterator[Lines]:
        return (page.items for page in pages_of(self._client, path, ItemPage, **query))


class ItemPage(Page):
    """A page of a list, items as their text stands."""

    items: list[msgspec.Raw]


class Named(msgspec.Struct, rename="camel"):
    """As much of a tracker as an export looks at."""

    tracker_name: str


@contextmanager
def _service_source(url: str) -> Iterator[Source]:
    with client_of(url) as client:
        yield ServiceSource(client)


@contextmanager
def _folder_source() -> Iterator[Source]:
    """Raises StoreAway where another process holds the folder, SchemaNotReady where its schema is another."""
    from service.kept_history import KeptHistory  # noqa: PLC0415 - a second that the other way does not need
    from service.store.folder import hold  # noqa: PLC0415 - as above
    from service.store.schema_state import prepare  # noqa: PLC0415 - as above
    from service.store.sqlite import DATABASE_FILE, open_sqlite  # noqa: PLC0415 - as above

    settings = read_settings()
    if not (settings.data_dir / DATABASE_FILE).exists():
        raise NotFound(f"there is no database in {settings.data_dir}: set OVERFLY_DATA_DIR to where one is")
    with hold(settings.data_dir, "export", "leave out --from-folder to ask the service that runs"):
        database = open_sqlite(settings.data_dir)
        try:
            prepare(database)
            yield KeptHistory(database)
        finally:
            database.close()
