"""The data folder belongs to one process at a time."""

import fcntl
import os
from pathlib import Path
from typing import IO

from service.errors import StoreAway

LOCK_FILE = "overfly.lock"
OTHER_FOLDER = "choose another OVERFLY_DATA_DIR"


def hold(data_dir: Path, command: str, otherwise: str = OTHER_FOLDER) -> IO[str]:
    """Takes the folder for as long as the answer is open, or the process lives.

    Raises StoreAway that names the process which holds it, and what to do otherwise.
    """
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        lock = (data_dir / LOCK_FILE).open("a+")
    except OSError as error:
        raise StoreAway(f"data folder {data_dir}: {error.strerror}") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = holder_of(data_dir) or "another process"
        lock.close()
        raise StoreAway(
            f"data folder {data_dir} is held by {holder}: stop it first, or {otherwise}"
        ) from None
    lock.truncate(0)
    lock.write(f"overfly {command}, process {os.getpid()}\n")
    lock.flush()
    return lock


def holder_of(data_dir: Path) -> str | None:
    """What holds the folder, by its own word; None where nothing does."""
    try:
        with (data_dir / LOCK_FILE).open("r+") as lock:
            word = lock.read().strip()
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return word or "another process"
    except OSError:
        pass
    return None
