"""`overfly db`: the database itself."""

from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.progress import TextColumn

from service.checking.check import check_database
from service.checking.findings import Findings, Violation
from service.cli.opened_database import opened_with_data
from service.cli.running_service import bar_with
from service.settings import read_settings


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="The database itself: what is proved of it.", no_args_is_help=True)
    group.command("check")(_check)
    app.add_typer(group, name="db")


def _check(
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object a violation and line, and a last one that counts.")
    ] = False,
) -> None:
    """Prove that the database is what its own history gives: state, events, latest positions, references.

    Every stored position is evaluated again under the geofences that it met. Safe beside what runs: all is
    read in one state of the database. Exit status 1 where something is not as it should be, each told in a
    line: what is stored, and what should be.
    """
    settings = read_settings()
    database = opened_with_data(settings)

    def tell(violation: Violation) -> None:
        typer.echo(msgspec.json.encode(violation._asdict()) if as_json else str(violation))

    findings = Findings(tell)
    try:
        with bar_with(Console(stderr=True), TextColumn("{task.completed:,} positions")) as bar:
            task = bar.add_task("Checking", total=None)
            check_database(
                database,
                findings,
                lambda more: bar.advance(task, more),
                unknown_altitude_inside=settings.unknown_altitude == "inside",
            )
    finally:
        database.close()
    if as_json:
        counts = {"violations": findings.violations, "proved": findings.proved, "unproved": findings.unproved}
        typer.echo(msgspec.json.encode(counts))
    else:
        _say(findings)
    raise typer.Exit(1 if findings.violations else 0)


def _say(findings: Findings) -> None:
    for what, count in findings.unproved.items():
        if count:
            typer.echo(f"not proved: {count:,} {what}")
    proved = ", ".join(f"{count:,} {what}" for what, count in findings.proved.items() if count)
    if findings.violations:
        typer.echo(f"{findings.violations:,} violations among {proved}.")
    else:
        typer.echo(f"All is as its history says: {proved}.")
