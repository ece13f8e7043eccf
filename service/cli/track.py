"""`overfly track`: the tracker without the API."""

import typer

from service.bootstrap import build_tracking, sole_use
from service.hop_metrics import metrics_shown
from service.logs import configure_logs
from service.settings import read_settings
from service.working import work


def register(app: typer.Typer) -> None:
    app.command("track")(_track)


def _track() -> None:
    """Run the tracker without the API, until SIGTERM or Ctrl-C; on SQLite with dispatch.

    Reads the broker of OVERFLY_MQTT_URL, or the queue of OVERFLY_QUEUE_URL; OVERFLY_TRACK_FROM says which
    where both are set. On PostgreSQL it may run many times, each with an OVERFLY_WORKER_ID of its own: they
    share what comes on the topic overfly/positions/+ or from a queue, and `overfly dispatch` or `overfly
    serve` tells of the events. With OVERFLY_METRICS_PORT it shows its metrics there.
    """
    settings = read_settings()
    configure_logs(settings.log_format, settings.log_level)
    with sole_use(settings, "track"):
        tracking = build_tracking(settings)
        try:
            with metrics_shown(tracking.metrics, settings.metrics_port):
                status = work("track", tracking.workers)
        finally:
            tracking.close()
    raise typer.Exit(status)
