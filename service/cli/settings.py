"""`overfly settings`: what can be set, and what is."""

from typing import Any

import typer
from pydantic import SecretStr
from rich.console import Console

from service.settings import PREFIX, Settings, read_settings


def register(app: typer.Typer) -> None:
    app.command("settings")(_settings)


def _settings() -> None:
    """List every setting with its value here; secrets are not shown."""
    settings = read_settings()
    console = Console(highlight=False, soft_wrap=True)
    for name, setting in Settings.model_fields.items():
        console.print(f"[bold]{PREFIX}{name.upper()}[/] = ", end="")
        console.print(_shown(getattr(settings, name)), markup=False)
        console.print(f"    {setting.description}", style="dim", markup=False)


def _shown(value: Any) -> str:
    if value is None or value == ():
        return "-"
    if isinstance(value, SecretStr):
        return "(set)"
    if isinstance(value, tuple):
        return ",".join(value)
    return str(value)
