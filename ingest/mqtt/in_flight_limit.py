"""Whether a silent broker has nothing more, or has stopped at its limit of unacknowledged messages.

A broker does not say its limit: 20 in Mosquitto by default, 100 in AWS IoT, 1 where somebody wants strict
order. Who gathers messages before he acknowledges them must not wait then for more. Two signs are taken: as
many are unacknowledged as never before on this connection, and it is a number that brokers stop at; or the
broker was silent, we acknowledged, and it went on at once.

`Credit` asks the same for the tracker, which may not guess, since it must never take a broker that has
stopped for one that has nothing more. Here a guess that is wrong costs a small request, and one that is not
made costs the bridge its whole linger.
"""

from typing import Final

SILENCE: Final = 0.005
"""Seconds without a message after which a broker counts as silent."""
USUAL: Final = 20
"""Brokers stop at fewer only where somebody has set it so."""
LONG_SILENCE: Final = 0.05
AT_ONCE: Final = 0.02
"""After a long silence a message so soon (s) after our acknowledgement has waited for it."""


class InFlightLimit:
    """Of one connection. Times are seconds of the monotonic clock; what is counted is unacknowledged."""

    def __init__(self) -> None:
        self._most = self._count = 0
        self._stops_at: int | None = None
        self._heard_at = self._released_at = 0.0
        self._released: int | None = None

    def received(self, count: int, now: float) -> None:
        """Messages came; with them it is `count`."""
        if self._released is not None and now <= self._released_at + AT_ONCE:
            self._stops_at = self._released
        self._released = None
        if self._stops_at is not None and count > self._stops_at:
            self._stops_at = None  # it goes further than we thought
        self._most, self._count, self._heard_at = max(self._most, count), count, now

    def acknowledged(self, count: int, now: float) -> None:
        """Some were acknowledged; `count` are left."""
        if now >= self._heard_at + LONG_SILENCE and count < self._count:
            self._released, self._released_at = self._count, now
        self._count = count

    def reached_at(self) -> float | None:
        """When a broker that stays silent has stopped for want of acknowledgements; None: it has not."""
        stops_at = max(self._most, USUAL) if self._stops_at is None else self._stops_at
        return self._heard_at + SILENCE if self._count >= stops_at else None
