"""`overfly track`: tracker and dispatch in one process, without the API."""

import typer

from service.bootstrap import build_tracking, sole_use
from service.hop_metrics import metrics_shown
from service.logs import configure_logs
from service.settings import read_settings
from service.track import track


def register(app: typer.Typer) -> None:
    app.command("track")(_track)


def _track() -> None:
    """Run tracker and dispatch without the API, until SIGTERM or Ctrl-C.

    Reads the broker of OVERFLY_MQTT_URL, or the queue of OVERFLY_QUEUE_URL; OVERFLY_TRACK_FROM says which
    where both are set. With OVERFLY_METRICS_PORT it shows its metrics there.
    """
    settings = read_settings()
    configure_logs(settings.log_format, settings.log_level)
    with sole_use(settings, "track"):
        tracking = build_tracking(settings)
        try:
            with metrics_shown(tracking.metrics, settings.metrics_port):
                status = track(tracking.workers)
        finally:
            tracking.close()
    raise typer.Exit(status)
