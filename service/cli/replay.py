"""`overfly replay`: recorded flights, published again."""

from pathlib import Path
from typing import Annotated

import typer

from ingest.replay import Replayed, replay
from service.cli.publishing import MQTT_HELP, failures, named_broker, shown_progress, tell
from service.cli.signals import stopped_by_signals


def register(app: typer.Typer) -> None:
    app.command("replay")(_replay)


def _replay(
    file: Annotated[
        Path, typer.Argument(help="Positions, one JSON object a line (.gz too); - is stdin.", metavar="FILE")
    ],
    mqtt: Annotated[str | None, typer.Option(help=MQTT_HELP, metavar="URL")] = None,
    speed: Annotated[
        float | None,
        typer.Option(
            min=0.001,
            metavar="X",
            help="So many times faster than recorded, by the timestamps; as fast as it goes when left out.",
        ),
    ] = None,
    now: Annotated[
        bool,
        typer.Option(
            "--now",
            help="Each timestamp becomes the time its fix is due at, the first is now. Speed 1 if none.",
        ),
    ] = False,
    by_shard: Annotated[
        bool,
        typer.Option(
            "--by-shard",
            help="Publish arrays to overfly/positions/<shard>, which several trackers share.",
        ),
    ] = False,
) -> None:
    """Publish the positions of a file to aircraft/<deviceId>/position, one message each, in the file's order.

    At QoS 1, without loss when the broker goes away and comes back. Ctrl-C stops it.
    """
    endpoint = named_broker(mqtt, "replay")
    with failures(endpoint), stopped_by_signals() as stop:
        with shown_progress(f"replaying {file.name}") as show:
            replayed = replay(
                file, endpoint, speed=speed, now=now, by_shard=by_shard, progress=show, stop=stop
            )
        _tell_skipped(replayed)
        tell(replayed.progress, stop.is_set())


def _tell_skipped(replayed: Replayed) -> None:
    for reason, count in replayed.skipped.most_common():
        typer.echo(f"{count:,} lines skipped: {reason}", err=True)
    if replayed.first_skipped is not None:
        typer.echo("the first of them is line {}: {}".format(*replayed.first_skipped), err=True)
