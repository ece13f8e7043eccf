"""One hop of the way as its users run it: `overfly bridge`, `republish` or `track`, a process of its own."""

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from tests.brokers import free_port
from tests.programs import Program, answers, samples
from tests.waiting import wait_until

START_SECONDS = 60.0


@dataclass(slots=True)
class Hop(Program):
    """`settings` are OVERFLY_* variables without the prefix; `environment` is AWS's own."""

    command: str
    folder: Path
    settings: Mapping[str, str]
    environment: Mapping[str, str]
    metrics_port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def name(self) -> str:
        return self.command

    def start(self) -> Self:
        """Starts it, and waits until it shows its metrics."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith("OVERFLY_")}
        ours = {f"OVERFLY_{name}": value for name, value in self.settings.items()}
        shown = {"OVERFLY_METRICS_PORT": str(self.metrics_port)}
        command = [sys.executable, "-c", "from service.cli import main; main()", self.command]
        self.process = self.launched(command, {**clean, **self.environment, **ours, **shown})
        wait_until(self._listens, START_SECONDS, lambda: f"{self.name} does not start:\n{self.log[-4000:]}")
        return self

    def metric(self, name: str) -> float:
        """The sum of a metric's samples."""
        found = samples(f"http://127.0.0.1:{self.metrics_port}", name)
        assert found, f"{self.name} has no metric {name}"
        return sum(found)

    def _listens(self) -> bool:
        self.assert_running()
        return bool(answers(f"http://127.0.0.1:{self.metrics_port}/metrics"))
