"""Marks of tests that show where we are as Amazon Location, and where not: docs/amazon-location.md."""

import pytest

ALL = "all operations"


def same(*operations: str) -> pytest.MarkDecorator:
    """A test, whose name says what is as Amazon's documentation says it, of these operations."""
    return pytest.mark.amazon(operations, None)


def differs(how: str, *operations: str) -> pytest.MarkDecorator:
    """A test of what is otherwise, of these operations."""
    return pytest.mark.amazon(operations, how)
