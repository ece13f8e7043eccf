"""`overfly serve`: API, tracker and dispatch in one process."""

import ipaddress
from typing import Annotated

import typer

from service.bootstrap import build_service, sole_use
from service.errors import SettingsError
from service.logs import configure_logs
from service.serve import bound_socket, serve
from service.settings import read_settings


def register(app: typer.Typer) -> None:
    app.command("serve")(_serve)


def _serve(
    host: Annotated[
        str, typer.Option(help="Address to listen at; loopback only, there is no sign-in yet.")
    ] = ("127.0.0.1"),
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port to listen at; 0 takes a free one.")
    ] = 8080,
    api_only: Annotated[
        bool,
        typer.Option("--api-only", help="Leave tracking and telling to other processes; needs PostgreSQL."),
    ] = False,
) -> None:
    """Run API, tracker and dispatch in one process, until SIGTERM or Ctrl-C.

    What it does is set by OVERFLY_* variables: `overfly settings` lists them.
    """
    settings = read_settings()
    configure_logs(settings.log_format, settings.log_level)
    _refuse_strangers(host)
    with sole_use(settings, "serve"), bound_socket(host, port) as listener:
        address, actual = listener.getsockname()[:2]
        shown = f"[{address}]" if ":" in address else address
        service = build_service(settings, f"http://{shown}:{actual}", api_only=api_only)
        try:
            status = serve(service.app, service.workers, listener)
        finally:
            service.close()
    raise typer.Exit(status)


def _refuse_strangers(host: str) -> None:
    try:
        loopback = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = False
    if not loopback:
        raise SettingsError(
            f"--host {host}: only loopback (127.0.0.1 or ::1) is served, because this version has no "
            "authentication; put a proxy with sign-in on this machine in front of it"
        )
