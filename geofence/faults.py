"""What was wrong with geofences that were sent: every fault of every feature, in one error."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class GeofenceFault:
    """One fault and where it is.

    `feature` is its index in the collection (0-based; None where the fault is the document's), `ring` such as
    "polygon 0 ring 1" (0-based; ring 0 is the shell), `vertex` the index in that ring. `reason` is a short
    stable word, `detail` a sentence that says what was wrong and what would be right.
    """

    reason: str
    detail: str
    feature: int | None = None
    geofence_id: str | None = None
    ring: str | None = None
    vertex: int | None = None

    def __str__(self) -> str:
        feature = None if self.feature is None else f"feature {self.feature}"
        if self.geofence_id is not None:
            feature = f"{feature or 'feature'} (id {self.geofence_id})"
        vertex = None if self.vertex is None else f"vertex {self.vertex}"
        where = ", ".join(part for part in (feature, self.ring, vertex) if part is not None)
        return f"{where}: {self.detail}" if where else self.detail


class InvalidGeofences(ValueError):
    """Geofences that cannot be taken. `faults` names each reason, in the order of the document."""

    def __init__(self, faults: Sequence[GeofenceFault]) -> None:
        super().__init__(faults)
        self.faults = tuple(faults)

    def __str__(self) -> str:
        return "\n".join(map(str, self.faults))


class FeatureFaults:
    """The faults of one feature (or of the document, where `feature` is None), gathered as they are found.

    `accepted`: the feature was accepted once, and rules that came later do not refuse it.
    """

    def __init__(
        self, feature: int | None = None, geofence_id: str | None = None, *, accepted: bool = False
    ) -> None:
        self.feature, self.geofence_id, self.accepted = feature, geofence_id, accepted
        self.found: list[GeofenceFault] = []

    def add(self, reason: str, detail: str, ring: str | None = None, vertex: int | None = None) -> None:
        """One more fault, in this feature."""
        self.found.append(GeofenceFault(reason, detail, self.feature, self.geofence_id, ring, vertex))
