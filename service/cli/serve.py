"""`overfly serve`: API, tracker and dispatch in one process."""

import ipaddress
from typing import Annotated

import structlog
import typer

from service.bootstrap import build_service, sole_use
from service.logs import configure_logs
from service.named_access import named_tls
from service.serve import bound_socket, serve, url_of
from service.settings import read_settings

log = structlog.get_logger("overfly")


def register(app: typer.Typer) -> None:
    app.command("serve")(_serve)


def _serve(
    host: Annotated[
        str, typer.Option(help="Address to listen at; beyond loopback callers must say who they are.")
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

    What it does is set by OVERFLY_* variables: `overfly settings` lists them. On this machine (127.0.0.1)
    nobody is asked who they are, unless OVERFLY_AUTH says so; at another address everybody is: make a key
    first, `overfly keys create`, or name an issuer of tokens.
    """
    settings = read_settings()
    configure_logs(settings.log_format, settings.log_level)
    at_home, tls = _is_loopback(host), named_tls(settings)
    with sole_use(settings, "serve"), bound_socket(host, port) as listener:
        service = build_service(settings, url_of(listener, tls), api_only=api_only, at_home=at_home)
        if not at_home and tls is None:
            log.warning(
                "serve.plain_http",
                problem="keys, tokens and positions can be read on the way: set OVERFLY_TLS_CERT_FILE and "
                "OVERFLY_TLS_KEY_FILE, or let a proxy on this machine do TLS",
            )
        try:
            status = serve(service.app, service.workers, listener, settings.max_connections, tls)
        finally:
            service.close()
    raise typer.Exit(status)


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
