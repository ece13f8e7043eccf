"""`overfly simulate`: flights between real airports, published as if they were real."""

from typing import Annotated

import typer

from ingest.simulate import simulate
from service.cli.publishing import MQTT_HELP, failures, named_broker, shown_progress, tell
from service.cli.signals import stopped_by_signals


def register(app: typer.Typer) -> None:
    app.command("simulate")(_simulate)


def _simulate(
    devices: Annotated[int, typer.Option(min=1, max=1_000_000, help="Aircraft in the air.")] = 100,
    rate: Annotated[float, typer.Option(min=0.001, help="Positions a second, of all aircraft.")] = 20.0,
    mqtt: Annotated[str | None, typer.Option(help=MQTT_HELP, metavar="URL")] = None,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same flights.")] = 0,
    duration: Annotated[
        float | None, typer.Option(min=0, help="Seconds; until Ctrl-C when left out.", metavar="S")
    ] = None,
    by_shard: Annotated[
        bool,
        typer.Option(
            "--by-shard",
            help="Publish arrays to overfly/positions/<shard>, which several trackers share.",
        ),
    ] = False,
) -> None:
    """Publish simulated flights to aircraft/<deviceId>/position: great circles between 91 large airports.

    Aircraft climb, cruise, descend, stand and leave again, with times of now. At QoS 1, without loss when the
    broker goes away and comes back.
    """
    endpoint = named_broker(mqtt, "simulate")
    with failures(endpoint), stopped_by_signals() as stop:
        with shown_progress(f"simulating {devices:,} aircraft") as show:
            outcome = simulate(
                endpoint,
                devices=devices,
                rate=rate,
                seed=seed,
                duration=duration,
                by_shard=by_shard,
                progress=show,
                stop=stop,
            )
        tell(outcome, stop.is_set())
