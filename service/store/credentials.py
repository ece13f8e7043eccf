"""Who we are to the database, where that is kept outside of the settings and changes while we run."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

READ_SECONDS: Final = 10.0
"""How often a secret is read at most while the database refuses it."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """user: None where it is the one of the URL."""

    password: str = field(repr=False)
    user: str | None = None


class KeptCredentials:
    """Read once, and anew after the database refused them: a rotation is noticed by that. Any thread."""

    def __init__(
        self, read: Callable[[], Credentials], monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        """read: raises StoreAway where it cannot."""
        self._read = read
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._credentials: Credentials | None = None
        self._read_at = 0.0

    def current(self) -> Credentials:
        """Those to connect with. Raises StoreAway."""
        with self._lock:
            if self._credentials is None:
                self._renew()
            assert self._credentials is not None  # noqa: S101 - narrows the type
            return self._credentials

    def after_refusal(self, refused: Credentials) -> Credentials | None:
        """Others than these, where there are any by now. Raises StoreAway."""
        with self._lock:
            if self._credentials == refused and self._monotonic() >= self._read_at + READ_SECONDS:
                self._renew()
            return None if self._credentials == refused else self._credentials

    def _renew(self) -> None:
        self._read_at = self._monotonic()
        self._credentials = self._read()
