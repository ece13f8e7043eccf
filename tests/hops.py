"""One hop of the way as its users run it: `overfly bridge`, `republish` or `track`, a process of its own."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

from tests.brokers import free_port
from tests.services import wait_until

START_SECONDS = 60.0


@dataclass(slots=True)
class Hop:
    """`settings` are OVERFLY_* variables without the prefix; `environment` is AWS's own."""

    command: str
    folder: Path
    settings: Mapping[str, str]
    environment: Mapping[str, str]
    metrics_port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> str:
        path = self.folder / f"{self.command}.log"
        return path.read_text(errors="replace") if path.exists() else ""

    @property
    def memory(self) -> int:
        """Resident bytes of the process now."""
        assert self.process is not None
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
        return int(line.split()[1]) * 1024

    def start(self) -> Self:
        """Starts it, and waits until it shows its metrics."""
        assert self.process is None, "already running"
        self.folder.mkdir(parents=True, exist_ok=True)
        clean = {name: value for name, value in os.environ.items() if not name.startswith("OVERFLY_")}
        ours = {f"OVERFLY_{name}": value for name, value in self.settings.items()}
        with (self.folder / f"{self.command}.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", "from service.cli import main; main()", self.command],
                env={**clean, **self.environment, **ours, "OVERFLY_METRICS_PORT": str(self.metrics_port)},
                cwd=self.folder,
                stdout=log,
                stderr=log,
            )
        wait_until(
            self._listens, START_SECONDS, lambda: f"{self.command} does not start:\n{self.log[-4000:]}"
        )
        return self

    def stop(self) -> int:
        """SIGTERM; answers the exit status."""
        return self._end(signal.SIGTERM)

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def metric(self, name: str) -> float:
        """The sum of a metric's samples."""
        text = httpx.get(f"http://127.0.0.1:{self.metrics_port}/metrics", timeout=30).text
        lines = [line for line in text.splitlines() if line.split("{")[0].split(" ")[0] == name]
        assert lines, f"{self.command} has no metric {name}:\n{text}"
        return sum(float(line.rpartition(" ")[2]) for line in lines)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    def _listens(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, f"{self.command} ended:\n{self.log[-4000:]}"
        try:
            return httpx.get(f"http://127.0.0.1:{self.metrics_port}/metrics", timeout=5).status_code == 200
        except httpx.TransportError:
            return False

    def _end(self, how: signal.Signals) -> int:
        process, self.process = self.process, None
        if process is None:
            return 0
        process.send_signal(how)
        return process.wait(30)
