"""A program that the demo runs beside itself: a process of its own, with its log in a file."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

STOP_SECONDS = 15.0
LOG_TAIL = 20


class Process:
    """`command`, from the entry of a `with` to its end.

    It is tethered: its standard input stays open as long as we live, and it ends when that closes. Of the
    environment it does not see OVERFLY_* and AWS_*, which are for other servers, but has `variables`.
    """

    def __init__(self, name: str, command: Sequence[str], folder: Path, variables: Mapping[str, str]) -> None:
        self.name = name
        self.log = folder / f"{name.rpartition(' ')[2]}.log"
        self._command = command
        self._folder = folder
        self._environment = {
            variable: value
            for variable, value in os.environ.items()
            if not variable.startswith(("OVERFLY_", "AWS_"))
        } | dict(variables)

    def __enter__(self) -> "Process":
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own command
                self._command,
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


def overfly(command: str, folder: Path, variables: Mapping[str, str], *arguments: str) -> Process:
    """An `overfly` command; `variables` are its settings, and AWS's own."""
    tethered = [sys.executable, "-m", "service.demo.tether", command, *arguments]
    return Process(f"overfly {command}", tethered, folder, variables)
