"""`overfly serve` as its users run it: a process of its own, on a free port at 127.0.0.1."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from tests.brokers import free_port

START_SECONDS = 60.0


@dataclass(slots=True)
class Overfly:
    """`settings` are OVERFLY_* variables without the prefix, `aws` is AWS's own environment.

    `folder` keeps data and log over restarts.
    """

    folder: Path
    settings: Mapping[str, str] = field(default_factory=dict)
    aws: Mapping[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        path = self.folder / "serve.log"
        return path.read_text(errors="replace") if path.exists() else ""

    @property
    def memory(self) -> int:
        """Resident bytes of the process now."""
        assert self.process is not None
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
        return int(line.split()[1]) * 1024

    def environment(self) -> dict[str, str]:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("OVERFLY_")}
        ours = {f"OVERFLY_{name}": value for name, value in self.settings.items()}
        return {**clean, **self.aws, "OVERFLY_DATA_DIR": str(self.folder / "data"), **ours}

    def launch(self) -> Self:
        """Starts it, and does not wait."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "serve.log").open("ab") as log:
            self.process = subprocess.Popen(
                [
                    sys.executable,
                    "-c",
                    "from service.cli import main; main()",
                    "serve",
                    "--port",
                    str(self.port),
                ],
                env=self.environment(),
                cwd=self.folder,
                stdout=log,
                stderr=log,
            )
        return self

    def start(self) -> Self:
        """Starts it, and waits until it is ready."""
        self.launch()
        wait_until(self._ready, START_SECONDS, lambda: f"not ready:\n{self.log[-4000:]}")
        return self

    def stop(self) -> int:
        """SIGTERM; answers the exit status."""
        return self._end(signal.SIGTERM)

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def get(self, path: str, **parameters: Any) -> Any:
        answer = httpx.get(self.url + path, params=parameters, timeout=30)
        answer.raise_for_status()
        return answer.json()

    def items(self, path: str, **parameters: Any) -> Iterator[dict[str, Any]]:
        """Every item of a list, page by page."""
        with httpx.Client(base_url=self.url, timeout=30) as client:
            while True:
                page = client.get(path, params={"limit": 1000, **parameters}).raise_for_status().json()
                yield from page.get("items", page.get("features"))
                if page["nextCursor"] is None:
                    return
                parameters["cursor"] = page["nextCursor"]

    def metric(self, name: str) -> float:
        """The sum of a metric's samples."""
        text = httpx.get(f"{self.url}/metrics", timeout=30).text
        lines = [line for line in text.splitlines() if line.split("{")[0].split(" ")[0] == name]
        return sum(float(line.rpartition(" ")[2]) for line in lines)

    def put_geofences(self, collection: Path) -> None:
        answer = httpx.post(f"{self.url}/v1/geofences", content=collection.read_bytes(), timeout=60)
        assert answer.status_code == 200, answer.text

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _ready(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, f"serve ended with {self.process.returncode}:\n{self.log[-4000:]}"
        try:
            return httpx.get(f"{self.url}/v1/ready", timeout=5).status_code == 200
        except httpx.TransportError:
            return False

    def _end(self, how: signal.Signals) -> int:
        process, self.process = self.process, None
        if process is None:
            return 0
        process.send_signal(how)
        return process.wait(30)


def wait_until(true: Any, seconds: float, otherwise: Any = lambda: "it did not come true") -> None:
    """Asks until it is true. Raises AssertionError with what `otherwise` says."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, otherwise()
        time.sleep(0.05)
