"""What could not be taken, put aside where people can see it."""

import hashlib
from collections.abc import Sequence

from sqlalchemy import Connection, delete, func, insert, select

from ingest.decoding.rejects import Reject
from service.store.schema import reject
from service.store.turns import Turn, wait_for_turn

KEPT_DAYS = 7
KEPT_AT_MOST = 100_000
LOOKED_UP_AT_ONCE = 1_000


def insert_rejects(
    connection: Connection, tracker_key: int, rejects: Sequence[Reject], received_time: int
) -> int:
    """Keeps rejects; one that was kept before its message was delivered again is not kept twice.

    Answers how many were new.
    """
    rows = [
        {
            "tracker_key": tracker_key,
            "received_time": received_time,
            "reason": each.reason,
            "detail": each.detail,
            "topic": each.topic,
            "device_id": each.device_id,
            "payload": each.payload,
            "digest": _digest(each),
        }
        for each in rejects
    ]
    again = [row["digest"] for row, each in zip(rows, rejects, strict=True) if each.redelivered]
    kept: set[object] = set()
    for start in range(0, len(again), LOOKED_UP_AT_ONCE):
        some = reject.c.digest.in_(again[start : start + LOOKED_UP_AT_ONCE])
        kept.update(connection.scalars(select(reject.c.digest).where(some)))
    if kept:
        rows = [
            row
            for row, each in zip(rows, rejects, strict=True)
            if not (each.redelivered and row["digest"] in kept)
        ]
    if rows:
        wait_for_turn(connection, Turn.REJECTS)
        connection.execute(insert(reject), rows)
    return len(rows)


def delete_old_rejects(connection: Connection, received_before: int) -> int:
    """Drops rejects received before, and the oldest beyond the number that is kept."""
    newest = connection.scalar(select(func.max(reject.c.key))) or 0
    outdated = (reject.c.received_time < received_before) | (reject.c.key <= newest - KEPT_AT_MOST)
    return connection.execute(delete(reject).where(outdated)).rowcount


def _digest(each: Reject) -> bytes:
    parts = (each.topic or "", each.reason, each.detail, str(each.item))
    head = "\0".join(parts).encode(errors="surrogatepass")
    return hashlib.blake2b(head + b"\0" + each.payload, digest_size=16).digest()
