"""Waiting until something is true."""

import time
from typing import Any


def wait_until(true: Any, seconds: float, otherwise: Any = lambda: "it did not come true") -> None:
    """Asks until it is true. Raises AssertionError with what `otherwise` says."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, otherwise()
        time.sleep(0.05)
