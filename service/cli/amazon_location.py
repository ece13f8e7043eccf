"""`overfly import amazon-location`: what an account has at Amazon Location, into the database."""

from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import TextColumn

from service.cli.running_service import bar_with
from service.logs import configure_logs
from service.settings import read_settings


def register(group: typer.Typer) -> None:
    group.command("amazon-location")(_amazon_location)


def _amazon_location(
    history: Annotated[
        bool, typer.Option("--history", help="The positions of the 30 days that Amazon keeps, too.")
    ] = False,
    state: Annotated[
        Path | None,
        typer.Option(
            dir_okay=False, help="Go on with the history from what this file says, and keep it there."
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only count what there is; the database is not opened.")
    ] = False,
) -> None:
    """Copy an account's trackers, collections, geofences, links, tags and positions from Amazon Location.

    The account is the one of boto3's own configuration (AWS_PROFILE, AWS_REGION, ...); it needs the rights
    to List*, Describe* and Get* of `geo`. Nothing that is here already is deleted, and it may be called again
    at any time, to go on after an interruption or to fetch what is new: what is here is recognised. Nobody is
    told of what is copied. `overfly serve` must not run meanwhile.
    """
    from service.cli.filled_database import filled_database  # noqa: PLC0415 - as above
    from service.moving.amazon_location.account import Account, account_client  # noqa: PLC0415 - a second
    from service.moving.amazon_location.copied_until import CopiedUntil  # noqa: PLC0415 - as above
    from service.moving.amazon_location.copying import Copying  # noqa: PLC0415 - as above
    from service.moving.amazon_location.summary import Summary  # noqa: PLC0415 - as above

    settings = read_settings()
    configure_logs(settings.log_format, settings.log_level)
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    account, summary = Account(account_client()), Summary()
    copied = CopiedUntil(state, account.name)
    if not dry_run:
        copied.keep()  # one that cannot be written is told before anything is copied
    opened = nullcontext(None) if dry_run else filled_database(settings, summary)
    with opened as into, bar_with(console, TextColumn("{task.completed:,}")) as bar:
        task, now = bar.add_task("Asking Amazon Location", total=None), ""

        def progress(what: str, more: int) -> None:
            nonlocal now
            if what != now:
                bar.reset(task, description=f"Copying {what}")
                now = what
            bar.advance(task, more)

        Copying(account, into, summary, copied, progress).copy(history=history)
    console.print(f"{'Found at' if dry_run else 'Copied from'} {account.name}:")
    for line in summary.lines():
        console.print(f"  {line}")
    if summary.faults:
        raise typer.Exit(1)
