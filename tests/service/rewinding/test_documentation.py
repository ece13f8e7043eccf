"""docs/rewinding.md shows lines that are as it says."""

import json
import re
from pathlib import Path

import msgspec

from service.api.histories import Change, EvaluatedPosition
from service.rewinding.fixes import read_fixes
from service.rewinding.lines import LineFaults
from service.rewinding.revisions import read_revisions
from service.rewinding.rewind import event_lines, rewound


def test_the_lines_shown_are_an_export_and_rewind(repository: Path, tmp_path: Path) -> None:
    document = (repository / "docs/rewinding.md").read_text(encoding="utf-8")
    fixes, revisions = (block.encode() for block in re.findall(r"```json\n(.*?)```", document, re.DOTALL))
    for shape, block in ((EvaluatedPosition, fixes), (Change, revisions)):
        for line in block.splitlines():
            assert list(json.loads(line)) == [each.encode_name for each in msgspec.structs.fields(shape)]
    (tmp_path / "fixes").write_bytes(fixes)
    (tmp_path / "revisions").write_bytes(revisions)
    faults = LineFaults(9)
    history = read_revisions(tmp_path / "revisions", faults)
    crossed = rewound(read_fixes(tmp_path / "fixes", history, faults), history)
    assert faults.first == []
    (event,) = map(json.loads, b"".join(event_lines(crossed)).splitlines())
    assert (event["eventType"], event["geofenceId"]) == ("ENTER", "alps")
