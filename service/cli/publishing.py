"""What `replay` and `simulate` share: the broker named, progress shown, the outcome told."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import typer
from pydantic import SecretStr
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from ingest.decoding.blocks import UnreadableFile
from ingest.mqtt import publisher as mqtt_publisher
from ingest.mqtt.connection import EndpointError, MqttEndpoint
from ingest.mqtt.publisher import BrokerAway, PublicationRefused
from service.errors import SettingsError
from service.named_broker import mqtt_endpoint
from service.settings import read_settings

PLAIN_SECONDS = 10.0
"""Between two lines of progress where there is no terminal."""

MQTT_HELP = "The broker: mqtt://host:1883 or mqtts://host:8883; OVERFLY_MQTT_URL when left out."

Show = Callable[[mqtt_publisher.Progress], None]


def named_broker(url: str | None, command: str) -> MqttEndpoint:
    """The broker of `--mqtt`, else of the settings; user, password and certificates are always the settings'.

    Raises SettingsError.
    """
    settings = read_settings()
    if url is not None:
        settings = settings.model_copy(update={"mqtt_url": SecretStr(url)})
    endpoint = mqtt_endpoint(settings, f"overfly-{command}-{os.getpid()}")
    if endpoint is None:
        raise SettingsError("no broker is named: give --mqtt mqtt://127.0.0.1:1883, or set OVERFLY_MQTT_URL")
    return endpoint


@contextmanager
def failures(endpoint: MqttEndpoint) -> Iterator[None]:
    """Turns what may stop publishing into a sentence on stderr and exit status 1."""
    try:
        yield
    except BrokerAway as error:
        hint = f"start one (`mosquitto -p {endpoint.port}`, `overfly demo`) or name another with --mqtt"
        sentence = f"{error}; {hint}"
    except (UnreadableFile, PublicationRefused, EndpointError) as error:
        sentence = str(error)
    else:
        return
    typer.echo(f"overfly: {sentence}", err=True)
    raise typer.Exit(1)


@contextmanager
def shown_progress(doing: str) -> Iterator[Show]:
    """A bar on a terminal, a line every 10 s elsewhere; both on stderr."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _lines(doing)
        return
    columns = TextColumn(doing), BarColumn(), TaskProgressColumn(), TimeElapsedColumn()
    with Progress(*columns, TextColumn("{task.fields[note]}"), console=console, transient=True) as bar:
        task = bar.add_task(doing, total=None, note="")

        def show(progress: mqtt_publisher.Progress) -> None:
            total = None if progress.fraction is None else 1.0
            bar.update(task, total=total, completed=progress.fraction or 0.0, note=_note(progress))

        yield show


def tell(progress: mqtt_publisher.Progress, stopped: bool) -> None:
    """The outcome on stdout, with what the reader may want to do about it. Exit status 130 if it was
    stopped.
    """
    seconds = max(progress.seconds, 1e-3)
    rate = progress.acknowledged / seconds
    outcome = f"{progress.acknowledged:,} positions published in {seconds:.1f} s ({rate:,.0f}/s)"
    lost = progress.published - progress.acknowledged
    typer.echo(outcome + (f"; {lost:,} more were sent and not acknowledged" if lost else ""))
    if progress.unheard:
        typer.echo(
            f"{progress.unheard:,} of them reached nobody: `overfly serve` has to subscribe once before",
            err=True,
        )
    if stopped:
        raise typer.Exit(130)


def _lines(doing: str) -> Show:
    told_at = time.monotonic()

    def show(progress: mqtt_publisher.Progress) -> None:
        nonlocal told_at
        if time.monotonic() >= told_at + PLAIN_SECONDS:
            told_at = time.monotonic()
            part = "" if progress.fraction is None else f"{progress.fraction:.0%}, "
            typer.echo(f"{doing}: {part}{_note(progress)}", err=True)

    return show


def _note(progress: mqtt_publisher.Progress) -> str:
    if progress.problem is not None:
        return f"waiting: {progress.problem}"
    rate = progress.acknowledged / max(progress.seconds, 1e-3)
    return f"{progress.acknowledged:,} positions, {rate:,.0f}/s"
