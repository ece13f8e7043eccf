"""Texts that are made from the code; `python -m tests.house` prints what belongs into docs/settings.md."""

import sys

import msgspec
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from service.location.limits import Limits
from service.settings import PREFIX, Settings


def settings_table() -> str:
    """The table of docs/settings.md: one row a setting, in the order of Settings."""
    rows = ["| variable | default | what it is for |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        purpose = (field.description or "").replace("<", "\\<")  # Markdown takes <name> for a tag
        rows.append(f"| `{PREFIX}{name.upper()}` | {_default(field)} | {purpose} |")
    return "\n".join(rows) + "\n"


def _default(field: FieldInfo) -> str:
    if field.default is PydanticUndefined:
        return "host name"
    if field.default is None or field.default == ():
        return ""
    if isinstance(field.default, Limits):
        return f"`{msgspec.json.encode(field.default).decode()}`"
    if isinstance(field.default, tuple):
        return f"`{','.join(field.default)}`"
    return f"`{str(field.default).lower() if isinstance(field.default, bool) else field.default}`"


if __name__ == "__main__":
    sys.stdout.write(settings_table())
