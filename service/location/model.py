"""The model of the service, read from operations.json once."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from msgspec import Struct, json

TABLE: Final = Path(__file__).with_name("operations.json")


class Member(Struct, frozen=True, forbid_unknown_fields=True):
    """A member of a structure: `location` is uri, querystring or body."""

    shape: str
    location: str
    wire_name: str


class Shape(Struct, frozen=True, forbid_unknown_fields=True):
    """A type with its constraints.

    `min` and `max` are characters of a string, bytes of a blob, entries of a list or map, or the range of a
    number. `pattern` is to match a whole string. `status` is that of an error.
    """

    type: str
    required: tuple[str, ...] = ()
    members: dict[str, Member] = {}
    member: str | None = None
    key: str | None = None
    value: str | None = None
    min: int | float | None = None
    max: int | float | None = None
    pattern: str | None = None
    enum: tuple[str, ...] = ()
    status: int | None = None


class Operation(Struct, frozen=True, forbid_unknown_fields=True):
    """An operation; `input`, `output` and `errors` name shapes."""

    method: str
    path: str
    status: int
    host_prefix: str
    input: str
    output: str
    errors: tuple[str, ...]


class Model(Struct, frozen=True, forbid_unknown_fields=True):
    """Operations and shapes by name."""

    operations: dict[str, Operation]
    shapes: dict[str, Shape]

    def input_members(self, operation: str, location: str) -> Mapping[str, Member]:
        """The members of an operation's input that are said there: uri, querystring or body."""
        members = self.shapes[self.operations[operation].input].members
        return {name: member for name, member in members.items() if member.location == location}


MODEL: Final = json.decode(TABLE.read_bytes(), type=Model)

HOST_PREFIXES: Final = tuple(sorted({each.host_prefix for each in MODEL.operations.values()}))
"""What Amazon's clients put before the host's name unless they are told not to: `cp.tracking.` and others."""


SEPARATORS: Final = " \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
r"""`\p{Z}`, for a character class; a test holds it against all of Unicode."""


def python_pattern(pattern: str) -> str:
    r"""A pattern of the model for Python's `re`, to match whole strings.

    The model's are Java's: `\w` and `\d` are ASCII, `\p{L}`, `\p{N}` and `\p{Z}` are Unicode's letters,
    numbers and separators. Python's `\w` is `[\p{L}\p{N}_]` exactly; all classes with the former have `_`.
    """
    if r"\p{L}" not in pattern:
        return rf"(?a)\A(?:{pattern})\Z"
    letters = pattern.replace(r"\p{L}", r"\w").replace(r"\p{N}", "").replace(r"\p{Z}", SEPARATORS)
    return rf"\A(?:{letters})\Z"
