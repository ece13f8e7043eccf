"""What came out of evaluating devices again, and how what is stored of them differs from it."""

from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from service.checking.history import StoredDevice
from service.store.devices import Visit

Pair = tuple[int, int]
"""Keys of device and geofence."""


class StoredEvent(NamedTuple):
    """A row of event; what is not of its own making, number and time of its commit, is left out."""

    event_id: str
    tracker_key: int
    device_key: int
    geofence_key: int
    event_type: str
    collection_name: str
    geofence_id: str
    device_id: str
    sample_time: int
    received_time: int
    longitude: float
    latitude: float
    accuracy: float | None
    properties: str
    revision: int
    interpolated: bool

    @property
    def pair(self) -> Pair:
        """Whose it is."""
        return self.device_key, self.geofence_key

    def same(self, other: "StoredEvent") -> bool:
        """Whether the other is equal; a place between fixes may differ where another computer found it."""
        if self == other:
            return True
        near = all(
            abs(one - another) <= NEAR
            for one, another in ((self.longitude, other.longitude), (self.latitude, other.latitude))
        )
        return (
            self.interpolated
            and near
            and other == self._replace(longitude=other.longitude, latitude=other.latitude)
        )


NEAR = 1e-9
"""Degrees: a tenth of a millimetre."""


class Beginning(NamedTuple):
    """Of what was evaluated again of a device: sample_time (ms) of the first fix, revision of the last."""

    sample_time: int
    revision: int


class StoredVisit(NamedTuple):
    """A row of inside, of a geofence that is there and watched since a revision."""

    visit: Visit
    linked_revision: int


@dataclass(frozen=True, slots=True)
class Told:
    """Of `devices`: their events, what they are inside of afterwards, and where they began, by device key.

    `until` is the sample_time (ms) of the last fix that was evaluated again, by device key: also of a device
    of which all has expired since, so that it has no beginning.
    """

    devices: Sequence[StoredDevice]
    events: Sequence[StoredEvent]
    visits: Sequence[Visit]
    beginnings: dict[int, Beginning]
    until: dict[int, int]

    def without(self, device_keys: Set[int]) -> "Told":
        """Nothing of these devices."""
        return replace(
            self,
            devices=[each for each in self.devices if each.key not in device_keys],
            events=[each for each in self.events if each.device_key not in device_keys],
            visits=[each for each in self.visits if each.device_key not in device_keys],
            beginnings={key: each for key, each in self.beginnings.items() if key not in device_keys},
        )

    def differing_events(
        self, stored: Sequence[StoredEvent]
    ) -> Iterator[tuple[StoredEvent | None, StoredEvent | None]]:
        """Each with the one that should be there; None for what is not there, or should not be."""
        expected = {each.event_id: each for each in self.events}
        for each in stored:
            other = expected.pop(each.event_id, None)
            if other is None or not each.same(other):
                yield each, other
        yield from ((None, other) for other in expected.values())

    def differing_visits(self, stored: Sequence[StoredVisit]) -> Iterator[tuple[Visit | None, Visit | None]]:
        """The same of visits. One that was written while its geofence was taken away, and is watched again
        since, is not looked at: it ends with the next fix."""
        expected = {visit[:2]: visit for visit in self.visits}
        for each in stored:
            other = expected.pop(each.visit[:2], None)
            beginning = self.beginnings.get(each.visit.device_key)
            left_over = other is None and beginning and each.linked_revision > beginning.revision
            if each.visit != other and not left_over:
                yield each.visit, other
        yield from ((None, other) for other in expected.values())


def settled(stored: Sequence[StoredEvent], beginnings: dict[int, Beginning]) -> dict[Pair, int]:
    """From when on (ms) it is known of a pair where the device was, whatever was before the beginning: its
    first EXIT."""
    first: dict[Pair, int] = {}
    for each in stored:
        beginning = beginnings.get(each.device_key)
        if each.event_type == "EXIT" and beginning and each.sample_time >= beginning.sample_time:
            first.setdefault(each.pair, each.sample_time)
    return first


def values(row: Any, of: Any) -> str:
    """The members of one row in which it differs from another, as text; all where there is no other."""
    if row is None:
        return "nothing"
    pairs = ((name, getattr(row, name), getattr(of, name, None)) for name in row._fields)
    shown = [f"{name} {value!r}" for name, value, other in pairs if of is None or value != other]
    return ", ".join(shown)
