"""Owns `dockyard history`: what was done to a deployment, when, by whom, and how it ended."""

from __future__ import annotations

import typer

from dockyard.cli import options as opt
from dockyard.cli.root import app
from dockyard.cli.session import find_session


@app.command("history")
def show_history(
    context: typer.Context,
    *,
    name: opt.NameArgument,
    environment: opt.EnvironmentOption = None,
    limit: opt.LimitOption = 20,
    config: opt.ConfigOption = None,
    json: opt.JsonOption = False,
    verbose: opt.VerboseOption = False,
) -> int:
    """Show what was done to a deployment, newest first."""
    from dockyard.cli.choices import choose_key

    session = find_session(context, json=json, verbose=verbose)
    settings = session.load_settings(config)
    key = choose_key(settings, name, environment, session.environ)
    return session.show(session.open_kit(settings).history(key, limit))
