"""Owns the page of the command line, made from the commands themselves."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

import typer
from typer.core import TyperGroup
from typer.main import get_command

from dockyard.cli.app import app
from reference_pages.markdown import block, code, page, table

ABOUT = """
stdout carries the result only; progress, notes and errors go to stderr. What `--json` prints is in
[json-output.md](json-output.md), what an exit code means in [exit-codes.md](exit-codes.md).
The console script `deploy` is `dockyard deploy`.
"""


def render_commands() -> str:
    """Return the page."""
    root = get_command(app)
    context = typer.Context(root, info_name="dockyard", **root.context_settings)
    return page("Commands", ABOUT, *(_describe(inner) for inner in _walk(context)))


def _walk(context: typer.Context) -> Iterator[typer.Context]:
    """The contexts of a command and all below it."""
    yield context
    command = context.command
    if isinstance(command, TyperGroup):
        for name in command.list_commands(context):
            inner = command.commands[name]
            yield from _walk(typer.Context(inner, info_name=name, parent=context, **inner.context_settings))


def _describe(context: typer.Context) -> str:
    command = context.command
    usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
    parts = [f"## {context.command_path}", inspect.cleandoc(command.help or ""), block(usage)]
    if isinstance(command, TyperGroup):
        known = ((name, command.commands[name].get_short_help_str(200)) for name in command.list_commands(context))
        parts.append(table(("command", "what it does"), [(code(name), text) for name, text in known]))
    shown = [one.get_help_record(context) or ("", "") for one in command.get_params(context)]
    parts.append(table(("argument or option", "meaning"), [(code(names), text) for names, text in shown if names]))
    return "\n\n".join(parts)
