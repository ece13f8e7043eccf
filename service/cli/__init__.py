"""The `overfly` command: one file a command."""

import importlib
import sys

import typer

from service.errors import OverflyError, SettingsError

COMMANDS = (
    "demo",
    "serve",
    "replay",
    "simulate",
    "evaluate",
    "validate",
    "geofences",
    "migrate",
    "doctor",
    "settings",
)


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
        help="Track things that move, and tell people when they cross a line.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    for command in COMMANDS:
        importlib.import_module(f"service.cli.{command}").register(app)
    return app


def _end(sentence: str, status: int) -> None:
    print(f"overfly: {sentence}", file=sys.stderr)  # noqa: T201 - what a command says
    raise SystemExit(status)
