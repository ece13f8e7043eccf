"""The revisions of an export: what each changed, read and judged line by line."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import msgspec
import numpy as np
from numpy.typing import NDArray

from geofence.faults import InvalidGeofences
from geofence.geofence import Geofence
from geofence.reading.geojson import read_accepted_geofence
from ingest import identifiers
from ingest.decoding.faults import shown
from service.crossing_rule import DEFAULT_RULE, CrossingRule, changed, rule_faults
from service.rewinding.lines import LineFaults, LineReader, reason_for

LINKING = ("link", "unlink")
KINDS = ("put", "delete", *LINKING, "collection")


@dataclass(frozen=True, slots=True)
class GeofenceChange:
    """From this revision on `geofence` is what the id means in the collection; None: it means nothing."""

    revision: int
    collection: str
    geofence_id: str
    geofence: Geofence | None


@dataclass(frozen=True, slots=True)
class LinkChange:
    """From this revision on the tracker watches the collection, or no more."""

    revision: int
    tracker: str
    collection: str
    linked: bool


@dataclass(frozen=True, slots=True)
class CollectionChange:
    """From this revision on the collection's geofences are crossed so."""

    revision: int
    collection: str
    rule: CrossingRule


Change = GeofenceChange | LinkChange | CollectionChange


@dataclass(frozen=True, slots=True)
class ExportedRevisions:
    """`numbers`: of all revisions, ascending. `changes`: what they changed, by revision."""

    numbers: NDArray[np.int64]
    changes: list[Change]

    @property
    def property_names(self) -> set[str]:
        """The properties of positions that geofences have asked for."""
        changes = (change for change in self.changes if isinstance(change, GeofenceChange))
        geofences = (change.geofence for change in changes if change.geofence is not None)
        return {name for geofence in geofences for name in geofence.conditions.property_names}


def read_revisions(
    path: Path, faults: LineFaults, progress: Callable[[int], object] = lambda _: None
) -> ExportedRevisions:
    """What the file at `path` says; what is wrong in it goes to `faults`. Raises UnreadableFile."""
    numbers: list[int] = []
    changes: list[Change] = []
    for at, lines in LineReader(ChangeLine, faults).read(path, progress):
        for line_number, line in zip(at, lines, strict=True):
            if numbers and line.revision < numbers[-1]:
                expected = f"expected {numbers[-1]} or more, as lines come by revision"
                faults.add(line_number, "bad_revision", f"revision {line.revision}", expected)
                continue
            numbers.append(line.revision)
            if (change := _change(line, line_number, faults)) is not None:
                changes.append(change)
    return ExportedRevisions(np.unique(np.array(numbers, np.int64)), changes)


class ChangeLine(msgspec.Struct, rename="camel"):
    """A line of the file."""

    revision: Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
    kind: str
    tracker_name: str | None = None
    collection_name: str | None = None
    geofence_id: str | None = None
    feature: msgspec.Raw = msgspec.Raw(b"null")
    crossing: str | None = None
    max_gap_seconds: float | None = None
    max_speed: float | None = None


def _change(line: ChangeLine, number: int, faults: LineFaults) -> Change | None:
    """None where the line is wrong, or what it is about went since with its tracker or its collection."""
    if line.kind not in KINDS:
        faults.add(number, "bad_kind", f"kind {shown(line.kind)}", f"expected one of {', '.join(KINDS)}")
        return None
    names = _names(line)
    if not any(names.values()) or not _are_names(names, number, faults):
        return None
    collection, *others = map(str, names.values())
    if line.kind == "collection":
        return _collection_change(line, collection, number, faults)
    (other,) = others
    if line.kind in LINKING:
        return LinkChange(line.revision, other, collection, line.kind == "link")
    if line.kind == "delete":
        return GeofenceChange(line.revision, collection, other, None)
    geofence = _geofence(line.feature, other, number, faults)
    return None if geofence is None else GeofenceChange(line.revision, collection, other, geofence)


def _names(line: ChangeLine) -> dict[str, str | None]:
    """Of what the change is, by member; that of the collection comes first."""
    names = {"collectionName": line.collection_name}
    if line.kind in LINKING:
        names["trackerName"] = line.tracker_name
    elif line.kind != "collection":
        names["geofenceId"] = line.geofence_id
    return names


def _are_names(names: dict[str, str | None], number: int, faults: LineFaults) -> bool:
    """Whether each of these members is a name, or a fault was added."""
    wrong = [(member, name) for member, name in names.items() if not identifiers.is_identifier(name)]
    for member, name in wrong:
        faults.add(number, reason_for(member), f"{member} {shown(name)}", identifiers.EXPECTED)
    return not wrong


def _collection_change(
    line: ChangeLine, collection: str, number: int, faults: LineFaults
) -> CollectionChange | None:
    members = {"crossing": line.crossing, "maxGapSeconds": line.max_gap_seconds, "maxSpeed": line.max_speed}
    missing = [member for member, value in members.items() if value is None]
    for member in missing:
        faults.add(number, reason_for(member), f"{member} null", "expected that of the collection")
    if missing:
        return None
    given = (line.crossing, line.max_gap_seconds, line.max_speed)
    for member, value, expected in (wrong := rule_faults(*given)):
        faults.add(number, reason_for(member), f"{member} {value}", expected)
    return None if wrong else CollectionChange(line.revision, collection, changed(DEFAULT_RULE, *given))


def _geofence(feature: msgspec.Raw, geofence_id: str, number: int, faults: LineFaults) -> Geofence | None:
    try:
        return read_accepted_geofence(bytes(feature), geofence_id)
    except InvalidGeofences as error:
        for fault in error.faults:
            faults.add(number, fault.reason, f"feature of geofence {geofence_id}", str(fault))
        return None
