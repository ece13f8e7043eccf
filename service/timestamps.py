"""The wall clock; time as text is in ingest/timestamps."""

import time


def now() -> int:
    """Milliseconds since the epoch, by the wall clock."""
    return time.time_ns() // 1_000_000
