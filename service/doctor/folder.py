"""What is wrong with the data folder and the database in it, and what would be right; nothing is made."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from service.doctor.finding import Finding
from service.errors import StoreAway
from service.store.database import Database
from service.store.folder import holder_of
from service.store.schema_state import schema_state

LITTLE_DISK = 2 << 30  # bytes


def folder_findings(data_dir: Path) -> Iterator[Finding]:
    """The data folder, which `overfly serve` makes where there is none."""
    if not data_dir.exists():
        parent = next(each for each in data_dir.absolute().parents if each.exists())
        if os.access(parent, os.W_OK | os.X_OK):
            yield Finding("data folder", "ok", f"{data_dir} does not exist yet; `overfly serve` makes it")
        else:
            detail = f"{data_dir} does not exist and cannot be made in {parent}: set OVERFLY_DATA_DIR"
            yield Finding("data folder", "fault", detail)
        return
    holder = holder_of(data_dir)
    yield Finding("data folder", "ok", f"{data_dir}, {f'held by {holder}' if holder else 'free'}")
    free = shutil.disk_usage(data_dir).free
    gib = f"{free / (1 << 30):.1f} GiB free"
    verdict: Literal["ok", "warning"] = "ok" if free > LITTLE_DISK else "warning"
    yield Finding(
        "disk", verdict, gib if verdict == "ok" else f"{gib}: when it is full, messages wait at the broker"
    )


def database_finding(database: Database) -> Finding:
    """The schema that the database has."""
    try:
        with database.read() as connection:
            state = schema_state(connection)
    except StoreAway as error:
        return Finding("database", "fault", str(error))
    if state.current == state.newest:
        return Finding("database", "ok", f"schema {state.newest}")
    if state.current is None:
        return Finding("database", "ok", "empty; `overfly serve` fills it")
    detail = f"schema {state.current}, this version wants {state.newest}: run `overfly migrate`"
    return Finding("database", "fault", detail)
