"""The devices that this process evaluates, of all trackers, in memory: a mirror of the database."""

from collections.abc import Iterator, Mapping

from sqlalchemy import Connection

from service.store.reading.trackers import tracker_named
from service.tracked_devices import TrackedDevices


class HeldDevices:
    """Those of the shards that are owned. Whatever fails: `reset`, and all is read anew."""

    def __init__(self) -> None:
        self._by_tracker: dict[int, TrackedDevices] = {}
        self._erased: dict[int, int] = {}

    @property
    def empty(self) -> bool:
        return not self._by_tracker

    def reset(self) -> None:
        """Nothing is held."""
        self._by_tracker.clear()
        self._erased.clear()

    def follow(self, connection: Connection, erased: Mapping[int, int]) -> None:
        """Holds the devices of just these shards: shard -> how often devices of it were erased.

        Where that has changed, all of the shard is read anew.
        """
        if erased == self._erased:
            return
        gone = {each for each, count in self._erased.items() if erased.get(each) != count}
        come = {each for each, count in erased.items() if self._erased.get(each) != count}
        for devices in self._by_tracker.values():
            if gone:
                devices.drop(gone)
            if come:
                devices.hold(connection, come)
        self._erased = dict(erased)

    def of(self, connection: Connection, tracker_name: str) -> TrackedDevices:
        """A tracker's. Raises NotFound."""
        row = tracker_named(connection, tracker_name)
        devices = self._by_tracker.get(row.key)
        if devices is None:
            devices = TrackedDevices(row.key, tracker_name)
            devices.hold(connection, self._erased.keys())
            self._by_tracker[row.key] = devices
        devices.position_events = row.position_events
        return devices

    def forget(self, tracker_key: int, device_id: str, forgotten_time: int) -> None:
        """A device was erased."""
        if tracker_key in self._by_tracker:
            self._by_tracker[tracker_key].forget(device_id, forgotten_time)

    def __iter__(self) -> Iterator[TrackedDevices]:
        return iter(self._by_tracker.values())
