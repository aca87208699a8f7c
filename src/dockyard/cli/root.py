"""Owns how a Typer app is made here, so that all are alike: plain help, no pretty tracebacks, an error without a command."""

from __future__ import annotations

from typing import Annotated

import typer
from typer.core import TyperGroup

from dockyard import __version__

_ORDER = ("deploy", "build", "status", "history", "logs", "predict", "rollback", "promote", "delete", "drift")


class OrderedGroup(TyperGroup):
    """A group whose help lists first what is needed first."""

    def list_commands(self, ctx: object) -> list[str]:
        """The names of the commands."""
        _ = ctx
        return sorted(self.commands, key=lambda name: _ORDER.index(name) if name in _ORDER else len(_ORDER))


class MissingCommandError(Exception):
    """A group was called without one of its commands."""

    def __init__(self, help_text: str, path: str) -> None:
        super().__init__(path)
        self.help_text = help_text
        self.path = path


def _print_version(is_wanted: bool) -> None:
    if is_wanted:
        typer.echo(f"dockyard {__version__}")
        raise typer.Exit


def _require_command(
    context: typer.Context,
    *,
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Refuse a call without a command."""
    if context.invoked_subcommand is None:
        raise MissingCommandError(context.get_help(), context.command_path)


def make_app(about: str) -> typer.Typer:
    """Return an app without commands. Its help is plain text: rich would cost a third of the time that `--help` takes."""
    app = typer.Typer(
        help=about,
        cls=OrderedGroup,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        invoke_without_command=True,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    )
    app.callback()(_require_command)
    return app


app = make_app("Put models that MLflow logged into service.")
"""`dockyard`. Modules of `commands` add themselves."""
