"""A tracker's database with a history that can be exported and rewound, for tests."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from service.kept_history import KeptHistory
from service.rewinding.fixes import read_fixes
from service.rewinding.lines import LineFaults
from service.rewinding.revisions import read_revisions
from service.rewinding.rewind import event_lines, rewound
from service.store.reading.events import EventFilter, events
from service.store.reading.trackers import tracker_names
from tests.service.workshop import Workshop
from tests.stores import Store

Json = dict[str, Any]


class Past(Workshop):
    """Two trackers and two collections, with a history that can be exported."""

    def __init__(self, store: Store, folder: Path, window: float = 0) -> None:
        super().__init__(store, window)
        self.folder = folder
        self.began -= self.began % 60_000
        self.clock = 0
        self.catalog.create_tracker("ships")
        self.catalog.create_collection("harbours")

    def conditions(self, asked: Json) -> Json:
        """As they are asked, "open" being the minute, from the beginning on, in which a geofence counts."""
        minute = asked.get("open")
        if minute is None:
            return asked
        opens = datetime.fromtimestamp(self.began / 1000 + 60 * minute, UTC)
        start, rule = opens.strftime("%Y-%m-%dT%H:%M"), "FREQ=DAILY;COUNT=1"
        return {"schedule": {"zone": "UTC", "start": start, "rrule": rule, "duration": "PT1M"}}

    def stored(self) -> list[Json]:
        """The native events of all trackers."""
        with self.database.read() as connection:
            return [
                row.native
                for key in tracker_names(connection)
                for row in events(connection, key, EventFilter(), 0, 100_000)
            ]

    def fixes(self) -> list[bytes]:
        history = KeptHistory(self.database)
        return [
            bytes(item) for name in history.trackers() for page in history.positions(name) for item in page
        ]

    def rewound(self, fixes: list[bytes] | None = None) -> list[Json]:
        """The events of these fixes or of all, in the order in which they are written."""
        revisions = [bytes(item) for page in KeptHistory(self.database).revisions() for item in page]
        exported = self.fixes() if fixes is None else fixes
        fixes_file, revisions_file = self.folder / "fixes.ndjson", self.folder / "revisions.ndjson"
        fixes_file.write_bytes(b"".join(b"%b\n" % each for each in exported))
        revisions_file.write_bytes(b"".join(b"%b\n" % each for each in revisions))
        faults = LineFaults(9)
        history = read_revisions(revisions_file, faults)
        crossed = rewound(read_fixes(fixes_file, history, faults), history)
        assert faults.first == []
        return [json.loads(line) for part in event_lines(crossed) for line in part.splitlines()]


def in_any_order(native: list[Json]) -> list[Json]:
    return sorted(native, key=lambda event: event["eventId"])
