"""`overfly serve` as the demo runs it: a process of its own, with its log in a file."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

STOP_SECONDS = 15.0
LOG_TAIL = 20


class Server:
    """`overfly serve`, from the entry of a `with` to its end.

    Only `settings` (OVERFLY_* variables) count: those of the environment and an `overfly.toml` are for other
    servers.
    """

    def __init__(self, folder: Path, port: int, settings: Mapping[str, str]) -> None:
        self.log = folder / "serve.log"
        self._folder = folder
        self._port = port
        self._environment = {
            name: value for name, value in os.environ.items() if not name.startswith("OVERFLY_")
        } | dict(settings)

    def __enter__(self) -> "Server":
        command = [sys.executable, "-m", "service.demo.tether", "serve", "--port", str(self._port)]
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own command
                command,
                cwd=self._folder,
                env=self._environment,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # a Ctrl-C is for us; we stop it in its turn
            )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        assert self._process.stdin is not None  # noqa: S101 - narrows: it was asked for
        self._process.stdin.close()

    @property
    def exit_status(self) -> int | None:
        """None while it runs."""
        return self._process.poll()

    def last_words(self) -> str:
        """The end of its log."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join(lines[-LOG_TAIL:])
