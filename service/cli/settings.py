"""`overfly settings`: what can be set, and what is."""

from typing import Any

import typer
from pydantic import SecretStr
from rich.console import Console
from rich.table import Table

from service.settings import PREFIX, Settings, read_settings


def register(app: typer.Typer) -> None:
    app.command("settings")(_settings)


def _settings() -> None:
    """List every setting with its value here; secrets are not shown."""
    settings = read_settings()
    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in ("variable", "value", "what it is for"):
        table.add_column(column, overflow="fold")
    for name, setting in Settings.model_fields.items():
        table.add_row(PREFIX + name.upper(), _shown(getattr(settings, name)), setting.description)
    Console().print(table)


def _shown(value: Any) -> str:
    if value is None or value == ():
        return "-"
    if isinstance(value, SecretStr):
        return "(set)"
    if isinstance(value, tuple):
        return ",".join(value)
    return str(value)
