"""A file system that is soon full, for a program that a test starts.

It is mounted in a mount namespace of that program, so that nothing of it stays. Where we are not root, the
kernel must let us make a namespace of users as well.
https://man7.org/linux/man-pages/man7/mount_namespaces.7.html
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

MOUNT: Final = 'mount -t tmpfs -o "$1" none "$2" && shift 2 && exec "$@"'
BALLAST: Final = "ballast"


@dataclass(frozen=True, slots=True)
class SmallDisk:
    """At `folder`, which the program alone sees so."""

    folder: Path
    megabytes: int
    owner: tuple[int, int]
    """User and group."""

    def command(self, command: Sequence[str]) -> list[str]:
        """The same, with the disk."""
        user, group = self.owner if os.getuid() == 0 else (0, 0)
        options = f"size={self.megabytes}m,mode=0700,uid={user},gid={group}"
        mounting = ["sh", "-c", MOUNT, "sh", options, str(self.folder)]
        if os.getuid() == 0:
            return ["unshare", "--mount", *mounting, *command]
        ourselves = ["unshare", "--user", f"--map-user={os.getuid()}", f"--map-group={os.getgid()}"]
        return ["unshare", "--user", "--map-root-user", "--mount", *mounting, *ourselves, *command]

    def fill(self, process: int) -> None:
        """To the last byte; process: one that sees it."""
        with (self._seen_by(process) / BALLAST).open("wb", buffering=0) as ballast:
            try:
                while ballast.write(bytes(1 << 16)):
                    pass
            except OSError as error:
                assert "No space left" in str(error)

    def make_room(self, process: int) -> None:
        """Takes away what filled it."""
        (self._seen_by(process) / BALLAST).unlink()

    def _seen_by(self, process: int) -> Path:
        return Path(f"/proc/{process}/root{self.folder}")
