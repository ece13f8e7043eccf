"""`overfly geofences`: a collection's geofences into a running service, and out of it, as GeoJSON."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, BinaryIO

import msgspec
import typer
from rich.console import Console
from rich.progress import DownloadColumn, Progress, TextColumn

from service.cli.output_file import output_file, write_parts
from service.cli.running_service import HERE, Page, Url, bar_with, client_of, content_of, pages_of

CHUNK = 1 << 16
Collection = Annotated[str, typer.Option(help="Name of the geofence collection.")]


class Feature(msgspec.Struct):
    """As much of a GeoJSON Feature as an export looks at."""

    id: str


class FeaturePage(Page):
    """A page of a collection's geofences; features as their text stands."""

    features: list[msgspec.Raw]


class Put(msgspec.Struct):
    """What became of an import."""

    created: int
    updated: int


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="Geofences into a running service, and out of it.", no_args_is_help=True)
    group.command("import")(_import)
    group.command("export")(_export)
    app.add_typer(group, name="geofences")


def _import(
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="FeatureCollection (GeoJSON).")
    ],
    url: Url = HERE,
    collection: Collection = "default",
) -> None:
    """Create or replace geofences by id: all of a file, or none where one has a fault.

    Every fault is named, with feature, ring and vertex. A file may have up to 64 MiB.
    """
    console = Console(stderr=True, highlight=False)
    size = file.stat().st_size
    with client_of(url) as client, bar_with(console, DownloadColumn()) as bar:
        task = bar.add_task(f"Sending {file.name}", total=size)
        with file.open("rb") as stream:
            answer = client.post(
                "/v1/geofences",
                params={"collection": collection},
                headers={"Content-Type": "application/geo+json", "Content-Length": str(size)},
                content=_chunks(stream, bar, task),
            )
    put = msgspec.json.decode(content_of(answer, str(file)), type=Put)
    console.print(f"{put.created:,} geofences created and {put.updated:,} replaced in {collection!r}.")


def _export(
    output: Annotated[
        Path | None, typer.Option(dir_okay=False, help="Where they go; stdout when not given.")
    ] = None,
    url: Url = HERE,
    collection: Collection = "default",
) -> None:
    """Write a collection's geofences as one FeatureCollection, which `import` takes."""
    console = Console(stderr=True, highlight=False)
    features: dict[str, msgspec.Raw] = {}  # one that is edited meanwhile comes again: its last form counts
    with client_of(url) as client, bar_with(console, TextColumn("{task.completed:,}")) as bar:
        task = bar.add_task("Fetching geofences", total=None)
        for page in pages_of(client, "/v1/geofences", FeaturePage, collection=collection):
            features.update((msgspec.json.decode(each, type=Feature).id, each) for each in page.features)
            bar.update(task, completed=len(features))
    with output_file(output) as stream:
        collected = b",\n".join(map(bytes, features.values()))
        write_parts(stream, [b'{"type":"FeatureCollection","features":[\n', collected, b"\n]}\n"])
    console.print(f"{len(features):,} geofences of {collection!r} exported.")


def _chunks(stream: BinaryIO, bar: Progress, task: "int") -> Iterator[bytes]:
    while chunk := stream.read(CHUNK):
        yield chunk
        bar.advance(task, len(chunk))  # type: ignore[arg-type]  # TaskID is an int that rich names
