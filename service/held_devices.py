"""The devices that this process evaluates, of all trackers, in memory: a mirror of the database."""

from collections.abc import Iterator, Mapping

from sqlalchemy import Connection

from service.store.reading.trackers import tracker_named
from service.store.shards import Version
from service.tracked_devices import TrackedDevices


class HeldDevices:
    """Those of the shards that are owned. Whatever fails: `reset`, and all is read anew."""

    def __init__(self) -> None:
        self._by_tracker: dict[int, TrackedDevices] = {}
        self._versions: dict[int, Version] = {}

    @property
    def empty(self) -> bool:
        return not self._by_tracker

    def reset(self) -> None:
        """Nothing is held."""
        self._by_tracker.clear()
        self._versions.clear()

    def follow(self, connection: Connection, versions: Mapping[int, Version]) -> None:
        """Holds the devices of just these shards. One of another version is read anew, all of it."""
        if versions == self._versions:
            return
        gone = {each for each, version in self._versions.items() if versions.get(each) != version}
        come = {each for each, version in versions.items() if self._versions.get(each) != version}
        for devices in self._by_tracker.values():
            if gone:
                devices.drop(gone)
            if come:
                devices.hold(connection, come)
        self._versions = dict(versions)

    def of(self, connection: Connection, tracker_name: str) -> TrackedDevices:
        """A tracker's. Raises NotFound."""
        row = tracker_named(connection, tracker_name)
        devices = self._by_tracker.get(row.key)
        if devices is None:
            devices = TrackedDevices(row.key, tracker_name)
            devices.hold(connection, self._versions.keys())
            self._by_tracker[row.key] = devices
        devices.position_events = row.position_events
        devices.position_filtering = row.position_filtering
        return devices

    def forget(self, tracker_key: int, device_id: str, forgotten_time: int) -> None:
        """A device was erased."""
        if tracker_key in self._by_tracker:
            self._by_tracker[tracker_key].forget(device_id, forgotten_time)

    def refuse_until(self, tracker_key: int, deleted_until: Mapping[str, int]) -> None:
        """The history of devices was deleted up to these times (ms)."""
        if tracker_key in self._by_tracker:
            self._by_tracker[tracker_key].forgotten.update(deleted_until)

    def __iter__(self) -> Iterator[TrackedDevices]:
        return iter(self._by_tracker.values())
