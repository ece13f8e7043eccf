"""The `overfly` command: one file a command."""

import importlib
import sys

import typer

from service.errors import OverflyError, SettingsError

COMMANDS = (
    "demo",
    "serve",
    "bridge",
    "republish",
    "redrive",
    "track",
    "dispatch",
    "replay",
    "simulate",
    "evaluate",
    "validate",
    "geofences",
    "keys",
    "export",
    "import",
    "db",
    "migrate",
    "doctor",
    "settings",
)

MODULES = {"import": "everything"}
"""Of a command that cannot be the name of a module."""


def main() -> None:
    """The console script. An error of ours is a sentence on stderr, not a traceback."""
    try:
        _app()()
    except SettingsError as error:
        _end(f"setting: {error}", 2)
    except OverflyError as error:
        _end(str(error), 1)


def _app() -> typer.Typer:
    app = typer.Typer(
        name="overfly",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_overfly)  # keeps the command's name in its usage, even where only one is loaded
    named = [each for each in sys.argv[1:2] if each in COMMANDS]
    for command in named or COMMANDS:  # loading those that are not asked for would take a second
        importlib.import_module(f"service.cli.{MODULES.get(command, command)}").register(app)
    return app


def _overfly() -> None:
    """Track things that move, and tell people when they cross a line."""


def _end(sentence: str, status: int) -> None:
    print(f"overfly: {sentence}", file=sys.stderr)  # noqa: T201 - what a command says
    raise SystemExit(status)
