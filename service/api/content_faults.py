"""What is wrong with a JSON body, in words for its sender: msgspec's own name types of Python."""

import re

import msgspec

from geofence.reading.feature import reading_fault

KINDS = {
    "str": "a text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "null": "null",
    "object": "an object",
    "array": "an array",
}
"""By msgspec's names."""

WRONG_KIND = re.compile(r"Expected `(.+)`, got `(.+?)`(?: - at `\$\.?(.*)`)?")
MISSING = re.compile(r"Object missing required field `(.+)`")
UNKNOWN = re.compile(r"Object contains unknown field `(.+)`")
AT = re.compile(r"(.+) - at `\$\.?(.*)`")


def content_fault(error: ValueError | RecursionError, shape: type[msgspec.Struct]) -> str:
    """Which member is wrong, what it is and what is expected of it, after msgspec's error."""
    if isinstance(error, msgspec.ValidationError):
        return _member_fault(str(error), shape)
    return f"body: {reading_fault(error)}: expected an object with {_members(shape)}"


def _member_fault(said: str, shape: type[msgspec.Struct]) -> str:
    if wrong := WRONG_KIND.fullmatch(said):
        return f"{wrong[3] or 'body'} is {_kinds(wrong[2])}: expected {_kinds(wrong[1])}"
    if missing := MISSING.fullmatch(said):
        return f"{missing[1]} is missing: expected an object with {_members(shape)}"
    if unknown := UNKNOWN.fullmatch(said):
        return f"{unknown[1]} is no member of it: expected {_members(shape)}"
    if at := AT.fullmatch(said):
        return f"{at[2]}: {at[1]}"
    return f"body: {said}"


def _kinds(names: str) -> str:
    return " or ".join(KINDS.get(name, name) for name in names.split(" | "))


def _members(shape: type[msgspec.Struct]) -> str:
    return ", ".join(shape.__struct_encode_fields__)
