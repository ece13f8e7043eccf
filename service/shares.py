"""Who evaluates, in a sentence, where several processes share a database."""

from sqlalchemy import Connection

from ingest.topics import SHARDS
from service.store.leases import holders
from service.store.schema import shard


def told_shares(connection: Connection) -> tuple[bool, str]:
    """Whether somebody evaluates every device, and who does."""
    shares = holders(connection, shard)
    owned = sum(shares.values())
    workers = ", ".join(f"{name} {count}" for name, count in shares.items())
    if not shares:
        return (
            False,
            "nobody evaluates: what is posted waits for an `overfly track` or `overfly serve`",
        )
    if owned < SHARDS:
        return False, f"{SHARDS - owned} of {SHARDS} shards are nobody's for the moment; workers: {workers}"
    return True, f"all {SHARDS} shards are evaluated; workers: {workers}"
