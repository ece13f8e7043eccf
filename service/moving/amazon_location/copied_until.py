"""A file that says up to when the history of each device was copied, so that another run goes on from there.

It is JSON: for each tracker by name, for each of its devices by id, a time in milliseconds since the epoch.
"""

from pathlib import Path
from typing import Final

import msgspec

from service.errors import Refused

FORMAT: Final = "overfly import amazon-location"
VERSION: Final = 1


class _Content(msgspec.Struct):
    format: str
    version: int
    source: str
    trackers: dict[str, dict[str, int]]


class CopiedUntil:
    """What the file says; without a file nothing is known and nothing kept."""

    def __init__(self, path: Path | None, source: str) -> None:
        """Raises Refused for a file of something else."""
        self._path = path
        self._content = _Content(FORMAT, VERSION, source, {})
        if path is not None and path.exists():
            self._content = _read(path, source)

    def of(self, tracker: str, device: str) -> int | None:
        """None where it was never copied."""
        return self._content.trackers.get(tracker, {}).get(device)

    def note(self, tracker: str, device: str, until: int) -> None:
        """All before that time is stored."""
        self._content.trackers.setdefault(tracker, {})[device] = until

    def keep(self) -> None:
        """Writes the file anew. Raises Refused where it cannot be written."""
        if self._path is None:
            return
        part = self._path.with_name(f"{self._path.name}.part")
        try:
            part.write_bytes(msgspec.json.encode(self._content))
            part.replace(self._path)
        except OSError as error:
            raise Refused(f"{self._path} cannot be written: {error.strerror}") from None


def _read(path: Path, source: str) -> _Content:
    try:
        content = msgspec.json.decode(path.read_bytes(), type=_Content)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise Refused(f"{path} cannot be gone on from: {error}") from None
    expected = (FORMAT, VERSION, source)
    if (content.format, content.version, content.source) != expected:
        raise Refused(
            f"{path} cannot be gone on from: it is of {content.source}, this is {source}: choose another file"
        )
    return content
