"""What can be the id of a device."""

import sys
import unicodedata

import pytest

from ingest.identifiers import is_identifier


def test_letters_and_numbers_of_all_of_unicode_are_taken_and_nothing_else() -> None:
    for code in range(sys.maxunicode + 1):
        character = chr(code)
        expected = character in "-._" or unicodedata.category(character)[0] in "LN"
        assert is_identifier(character) == expected, hex(code)


@pytest.mark.parametrize(
    "value", ["", "a" * 101, "a b", "a\n", "\n", "a/b", "a\0", "\ud800", 7, None, True, [], b"a"]
)
def test_what_is_no_id_is_refused(value: object) -> None:
    assert not is_identifier(value)


@pytest.mark.parametrize("value", ["a", "a" * 100, "4ca7b3", "-._", "Ünïcode.7", "航空機"])
def test_what_is_an_id_is_taken(value: object) -> None:
    assert is_identifier(value)
