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
from geofence.geojson import read_accepted_geofence
from ingest import identifiers
from ingest.decoding.faults import shown
from service.rewinding.lines import LineFaults, LineReader, reason_for

KINDS = ("put", "delete", "link", "unlink")


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


Change = GeofenceChange | LinkChange


@dataclass(frozen=True, slots=True)
class ExportedRevisions:
    """`numbers`: of all revisions, ascending. `changes`: what they changed, by revision."""

    numbers: NDArray[np.int64]
    changes: list[Change]


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


def _change(line: ChangeLine, number: int, faults: LineFaults) -> Change | None:
    """None where the line is wrong, or what it is about went since with its tracker or its collection."""
    about_link = line.kind in ("link", "unlink")
    names = {"collectionName": line.collection_name}
    names |= {"trackerName": line.tracker_name} if about_link else {"geofenceId": line.geofence_id}
    if line.kind not in KINDS:
        faults.add(number, "bad_kind", f"kind {shown(line.kind)}", f"expected one of {', '.join(KINDS)}")
        return None
    if not any(names.values()) or not _are_names(names, number, faults):
        return None
    collection, other = map(str, names.values())
    if about_link:
        return LinkChange(line.revision, other, collection, line.kind == "link")
    if line.kind == "delete":
        return GeofenceChange(line.revision, collection, other, None)
    geofence = _geofence(line.feature, other, number, faults)
    return None if geofence is None else GeofenceChange(line.revision, collection, other, geofence)


def _are_names(names: dict[str, str | None], number: int, faults: LineFaults) -> bool:
    """Whether each of these members is a name, or a fault was added."""
    wrong = [(member, name) for member, name in names.items() if not identifiers.is_identifier(name)]
    for member, name in wrong:
        faults.add(number, reason_for(member), f"{member} {shown(name)}", identifiers.EXPECTED)
    return not wrong


def _geofence(feature: msgspec.Raw, geofence_id: str, number: int, faults: LineFaults) -> Geofence | None:
    try:
        return read_accepted_geofence(bytes(feature), geofence_id)
    except InvalidGeofences as error:
        for fault in error.faults:
            faults.add(number, fault.reason, f"feature of geofence {geofence_id}", str(fault))
        return None
