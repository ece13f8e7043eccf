"""The table of the model, and what is made of its patterns."""

import re
import sys
import unicodedata

import pytest

from service.location.errors import ServiceError
from service.location.model import MODEL, TABLE, python_pattern
from service.location.operations_table import OPERATIONS, table
from service.location.routes import FUNCTIONS


def test_the_table_is_that_of_the_botocore_that_is_installed() -> None:
    assert TABLE.read_bytes() == table(), "run `python -m service.location.operations_table`"


def test_every_error_that_an_operation_declares_has_its_class() -> None:
    declared = {error for each in MODEL.operations.values() for error in each.errors}
    ours = {kind.code: kind.status for kind in ServiceError.__subclasses__()}
    assert ours == {name: MODEL.shapes[name].status for name in declared}
    assert len(MODEL.operations) == len(OPERATIONS) == 30


def test_every_operation_is_served() -> None:
    assert set(FUNCTIONS) == set(MODEL.operations)


@pytest.mark.parametrize(
    ("shape", "categories", "marks"),
    [("Id", "LN", "-._"), ("TagKey", "LNZ", "_.,:/=+-@"), ("TagValue", "LNZ", "_.,:/=+-@")],
)
def test_classes_of_unicode_are_exactly_those_of_the_model(shape: str, categories: str, marks: str) -> None:
    pattern = re.compile(python_pattern(str(MODEL.shapes[shape].pattern)))
    for character in map(chr, range(sys.maxunicode + 1)):
        meant = unicodedata.category(character)[0] in categories or character in marks
        assert bool(pattern.match(character)) is meant, ascii(character)


@pytest.mark.parametrize("name", ["a b", "é", "", "a\n", "\na", "a/b", "٣"])
def test_names_of_resources_are_ascii_and_matched_whole(name: str) -> None:
    pattern = re.compile(python_pattern(str(MODEL.shapes["ResourceName"].pattern)))
    assert pattern.match("-._aZ09")
    assert not pattern.match(name)
