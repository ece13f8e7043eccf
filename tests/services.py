"""`overfly serve` as its users run it: a process of its own, on a free port at 127.0.0.1."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import httpx

from tests.brokers import free_port
from tests.programs import Program, answers, samples
from tests.waiting import wait_until

START_SECONDS = 180.0


@dataclass(slots=True)
class Overfly(Program):
    """`settings` are OVERFLY_* variables without the prefix, `aws` is AWS's own environment.

    `folder` keeps data and log over restarts; `options` are those of the command.
    """

    folder: Path
    settings: Mapping[str, str] = field(default_factory=dict)
    aws: Mapping[str, str] = field(default_factory=dict)
    options: Sequence[str] = ()
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def name(self) -> str:
        return "serve"

    def environment(self) -> dict[str, str]:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("OVERFLY_")}
        ours = {f"OVERFLY_{name}": value for name, value in self.settings.items()}
        return {**clean, **self.aws, "OVERFLY_DATA_DIR": str(self.folder / "data"), **ours}

    def launch(self) -> Self:
        """Starts it, and does not wait."""
        code = "from service.cli import main; main()"
        command = [sys.executable, "-c", code, "serve", "--port", str(self.port), *self.options]
        self.process = self.launched(command, self.environment())
        return self

    def start(self) -> Self:
        """Starts it, and waits until it is ready."""
        self.launch()
        wait_until(self._ready, START_SECONDS, lambda: f"not ready:\n{self.log[-4000:]}")
        return self

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
        return sum(samples(self.url, name))

    def put_geofences(self, document: Path, collection: str = "default") -> None:
        url = f"{self.url}/v1/geofences?collection={collection}"
        answer = httpx.post(url, content=document.read_bytes(), timeout=60)
        assert answer.status_code == 200, answer.text

    def post(self, path: str, content: Any) -> None:
        httpx.post(self.url + path, json=content, timeout=30).raise_for_status()

    def delete(self, *paths: str) -> None:
        """Those that are there."""
        for path in paths:
            answer = httpx.delete(self.url + path, timeout=30)
            assert answer.status_code in (204, 404), answer.text

    def put_link(self, tracker: str, collection: str) -> None:
        httpx.put(f"{self.url}/v1/trackers/{tracker}/collections/{collection}", timeout=30).raise_for_status()

    def _ready(self) -> bool:
        self.assert_running()
        return answers(f"{self.url}/v1/ready")
