"""What all programs that tests start have in common: a folder, a log in it, an end by their process id."""

import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

END_SECONDS = 30.0


class Program:
    """A subclass starts it in `start`, by `launched`; a `with` starts it and stops it at its end."""

    __slots__ = ()
    folder: Path
    process: "subprocess.Popen[bytes] | None"

    @property
    def name(self) -> str:
        """What it is called in messages; its log is named so."""
        raise NotImplementedError

    @property
    def log(self) -> str:
        path = self.folder / f"{self.name}.log"
        return path.read_text(errors="replace") if path.exists() else ""

    @property
    def memory(self) -> int:
        """Resident bytes of the process now."""
        assert self.process is not None
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
        return int(line.split()[1]) * 1024

    def start(self) -> Self:
        """Starts it, and waits until it is there."""
        raise NotImplementedError

    def stop(self) -> int:
        """SIGTERM; answers the exit status."""
        return self._end(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL."""
        self._end(signal.SIGKILL)

    def pause(self) -> None:
        """SIGSTOP."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT."""
        assert self.process is not None
        self.process.send_signal(signal.SIGCONT)

    def restart(self) -> None:
        self.stop()
        self.start()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def launched(
        self, command: Sequence[str | Path], environment: Mapping[str, str] | None = None
    ) -> "subprocess.Popen[bytes]":
        """Starts it, and does not wait. It has an input that ends with us."""
        assert self.process is None, f"{self.name} is running already"
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / f"{self.name}.log").open("ab") as log:
            return subprocess.Popen(
                command, env=environment, cwd=self.folder, stdin=subprocess.PIPE, stdout=log, stderr=log
            )

    def assert_running(self) -> None:
        assert self.process is not None
        status = self.process.poll()
        assert status is None, f"{self.name} ended with {status}:\n{self.log[-4000:]}"

    def _end(self, how: signal.Signals) -> int:
        process, self.process = self.process, None
        if process is None:
            return 0
        process.send_signal(how)
        status = process.wait(END_SECONDS)
        assert process.stdin is not None
        process.stdin.close()
        return status


def samples(url: str, name: str) -> list[float]:
    """What /metrics at this URL says of a metric."""
    text = httpx.get(f"{url}/metrics", timeout=30).text
    lines = [line for line in text.splitlines() if line.split("{")[0].split(" ")[0] == name]
    return [float(line.rpartition(" ")[2]) for line in lines]


def answers(url: str) -> Any:
    """Whether it is 200 there."""
    try:
        return httpx.get(url, timeout=5, trust_env=False).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False
