"""docs/amazon-location.md, made from the tests: `python -m tests.wire.document` writes it."""

import importlib
import inspect
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from service.location.model import MODEL
from tests.amazon import ALL
from tests.wire.calls import CALLS
from tests.wire.constraints import probes
from tests.wire.test_calls import OVER

REPOSITORY: Final = Path(__file__).parent.parent.parent
DOCUMENT: Final = REPOSITORY / "docs/amazon-location.md"
FOLDERS: Final = ("tests/service/location", "tests/service/access", "tests/wire")
BEGIN: Final = "<!-- from here on made from the tests: python -m tests.wire.document -->\n"


class Shown(NamedTuple):
    """What a test shows of some operations; `how` they differ, or None where they do not."""

    operations: Sequence[str]
    how: str | None
    claim: str


def made() -> str:
    """What follows after BEGIN."""
    found = sorted(shown(), key=lambda each: (each.how is not None, each.claim))
    of_all = [each for each in found if ALL in each.operations]
    parts = [_table(), "## All operations\n", *_claims(of_all)]
    for operation in MODEL.operations:
        of_it = [each for each in found if operation in each.operations]
        if of_it:
            parts += [f"## {operation}\n", *_claims(of_it)]
    return "\n".join(parts).rstrip() + "\n"


def shown() -> Iterator[Shown]:
    """By the marks of all tests."""
    for folder in FOLDERS:
        for file in sorted((REPOSITORY / folder).glob("test_*.py")):
            module = importlib.import_module(f"{folder.replace('/', '.')}.{file.stem}")
            for name, function in inspect.getmembers(module, inspect.isfunction):
                for mark in getattr(function, "pytestmark", ()):
                    if mark.name == "amazon":
                        claim = name.removeprefix("test_").replace("_", " ")
                        yield Shown(*mark.args, claim)


def _table() -> str:
    rows = ["| operation | boto3 and the AWS CLI: success, and | constraints tried |", "|---|---|---|"]
    for operation in MODEL.operations:
        errors = [*CALLS[operation].fails, *(["ServiceQuotaExceededException"] if operation in OVER else [])]
        tried = sum(1 for _ in probes(operation))
        rows.append(f"| {operation} | {', '.join(sorted(errors))} | {tried} |")
    return "\n".join(rows) + "\n"


def _claims(found: Sequence[Shown]) -> Iterator[str]:
    alike = [f"- {each.claim}" for each in found if each.how is None]
    different = [f"- {each.how}" for each in found if each.how is not None]
    if alike:
        yield "As Amazon's documentation says:\n\n" + "\n".join(alike) + "\n"
    if different:
        yield "Otherwise:\n\n" + "\n".join(dict.fromkeys(different)) + "\n"


def document() -> str:
    """The whole document: what people wrote stays as it is."""
    written = DOCUMENT.read_text(encoding="utf-8").partition(BEGIN)[0]
    return written + BEGIN + "\n" + made()


if __name__ == "__main__":
    DOCUMENT.write_text(document(), encoding="utf-8")
    sys.stdout.write(f"{DOCUMENT}\n")
