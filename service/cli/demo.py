"""`overfly demo`: everything on this computer, to look at."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from service.cli.geofence_file import read_geofence_file


def register(app: typer.Typer) -> None:
    app.command("demo")(_demo)


def _demo(
    flights: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            readable=True,
            help="Recorded positions to replay (NDJSON), .gz or not; simulated flights when not given.",
        ),
    ] = None,
    geofences: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            readable=True,
            help="FeatureCollection (GeoJSON); circles around large airports when not given.",
        ),
    ] = None,
    stand_in: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            help="Program that starts an AWS stand-in (infra/stand_in/start of the repository): positions go "
            "through two AWS accounts then, else straight to the tracker.",
        ),
    ] = None,
    folder: Annotated[
        Path, typer.Option(file_okay=False, help="Database, logs and mails, kept until the next start.")
    ] = Path(".overfly/demo"),
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port of the API.")] = 8080,
    mqtt_port: Annotated[
        int, typer.Option(min=1, max=65535, help="Port of the broker where devices publish.")
    ] = 1884,
    speed: Annotated[
        float,
        typer.Option(min=0.1, max=10_000, help="How many times faster than they were flights are replayed."),
    ] = 20,
) -> None:
    """Show flights crossing geofences, with all that takes on loopback ports of its own.

    Until Ctrl-C, which leaves nothing running. Nothing outside the folder is changed, and no OVERFLY_*
    variable counts.
    """
    # The demo's own imports would slow every other command down.
    from service.demo.demonstration import Plan, run_demo  # noqa: PLC0415
    from service.demo.flights import (  # noqa: PLC0415
        LARGE_AIRPORTS,
        airport_circles,
        names,
        replayed,
        simulated,
    )

    if geofences:
        read_geofence_file(geofences)  # says what is wrong with it before anything starts
    document = geofences.read_bytes() if geofences else airport_circles()
    shown = replayed(flights, speed) if flights else simulated()
    named = names(document)
    plan = Plan(
        folder=folder.absolute(),
        port=port,
        mqtt_port=mqtt_port,
        flights=shown,
        geofences=document,
        names=named,
        stand_in=stand_in.absolute() if stand_in else None,
        told_geofences=[airport for airport in LARGE_AIRPORTS if airport in named] if flights else [],
    )
    run_demo(plan, Console(highlight=False))
