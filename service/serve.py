"""API, tracker and dispatch in one process; SIGTERM drains it and it exits with 0 within ten seconds."""

import errno
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import structlog
import uvicorn
from fastapi import FastAPI

from service.access.connections import Connections, connections_possible, protocol_of
from service.errors import SettingsError
from service.workers import Workers

API_DRAIN_SECONDS = 3
WORKERS_DRAIN_SECONDS = 5

log = structlog.get_logger("overfly")


def bound_socket(host: str, port: int) -> socket.socket:
    """The place to listen at, taken before anything else starts. Raises SettingsError, with what to do."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise SettingsError(
                f"port {port} at {host} is in use by another program: choose another with --port, "
                f"or find that one with `ss -ltnp 'sport = :{port}'`"
            ) from None
        raise SettingsError(f"cannot listen at {host}, port {port}: {error.strerror}") from None
    return listener


def serve(
    app: FastAPI, workers: Workers, listener: socket.socket, connections: int, tls: tuple[Path, Path] | None
) -> int:
    """Serves until SIGTERM or SIGINT, or until a worker dies; answers the exit status.

    connections: how many there may be at once. tls: the files of certificate and key; None for plain HTTP.
    Raises SettingsError for files that are none such.
    """
    certificate, key = tls or (None, None)
    config = uvicorn.Config(
        app,
        http=protocol_of(Connections(connections_possible(connections))),
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=API_DRAIN_SECONDS,
        ssl_certfile=certificate,
        ssl_keyfile=key,
    )
    try:
        config.load()
    except OSError as error:  # ssl.SSLError is one
        raise SettingsError(
            f"OVERFLY_TLS_CERT_FILE, OVERFLY_TLS_KEY_FILE: {error.strerror or error}: expected PEM files of "
            "a certificate and its key"
        ) from None
    server = _Server(config, workers)
    log.info("serve.started", url=url_of(listener, tls))
    workers.start(died=server.stop)
    server.run(sockets=[listener])
    workers.stop()
    workers.join(WORKERS_DRAIN_SECONDS)
    log.info("serve.stopped", failed=workers.failed)
    return 1 if workers.failed else 0


def url_of(listener: socket.socket, tls: object) -> str:
    """Where it is to be found."""
    host, port = listener.getsockname()[:2]
    return f"{'https' if tls else 'http'}://{f'[{host}]' if ':' in host else host}:{port}"


class _Server(uvicorn.Server):
    """uvicorn's own handling raises a signal again after its shutdown, which would cut the draining short."""

    def __init__(self, config: uvicorn.Config, workers: Workers) -> None:
        super().__init__(config)
        self._workers = workers

    def stop(self) -> None:
        self.should_exit = True
        self._workers.stop()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        before = {each: signal.signal(each, self._on_signal) for each in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            # later ones change nothing: the draining is bounded anyway
            for each in before:
                signal.signal(each, signal.SIG_IGN)

    def _on_signal(self, number: int, _: FrameType | None) -> None:
        log.info("serve.draining", signal=signal.Signals(number).name)
        self.stop()
