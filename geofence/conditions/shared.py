"""What is costly to make or to remember: one for all that ask for the same, while any of them is there."""

from collections.abc import Callable
from typing import Generic, TypeVar
from weakref import WeakValueDictionary

K = TypeVar("K")
V = TypeVar("V")


class Shared(Generic[K, V]):
    """Made from keys that compare by value."""

    def __init__(self, make: Callable[[K], V]) -> None:
        self._make = make
        self._made: WeakValueDictionary[K, V] = WeakValueDictionary()

    def __len__(self) -> int:
        return len(self._made)

    def of(self, key: K | None) -> V | None:
        """The one of this key; None where there is none."""
        if key is None:
            return None
        made = self._made.get(key)
        if made is None:
            made = self._made[key] = self._make(key)
        return made
