"""`overfly dispatch`: what tells of events, without tracker and API."""

import typer

from service.bootstrap import build_dispatch
from service.hop_metrics import metrics_shown
from service.logs import configure_logs
from service.settings import read_settings
from service.working import work


def register(app: typer.Typer) -> None:
    app.command("dispatch")(_dispatch)


def _dispatch() -> None:
    """Deliver events to the channels that are set, without tracker and API, until SIGTERM or Ctrl-C.

    Needs PostgreSQL. It may run several times, each with an OVERFLY_WORKER_ID of its own: a channel is one
    process's, and another's when that one ends. With OVERFLY_METRICS_PORT it shows its metrics there.
    """
    settings = read_settings()
    configure_logs(settings.log_format, settings.log_level)
    dispatching = build_dispatch(settings)
    try:
        with metrics_shown(dispatching.metrics, settings.metrics_port):
            status = work("dispatch", dispatching.workers)
    finally:
        dispatching.close()
    raise typer.Exit(status)
