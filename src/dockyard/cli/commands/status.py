"""Owns `dockyard status`: how deployments are."""

from __future__ import annotations

import typer

from dockyard.cli import options as opt
from dockyard.cli.root import app
from dockyard.cli.session import find_session


@app.command("status")
def show_status(
    context: typer.Context,
    *,
    name: opt.AnyNameArgument = None,
    environment: opt.OnlyEnvironmentOption = None,
    config: opt.ConfigOption = None,
    json: opt.JsonOption = False,
    verbose: opt.VerboseOption = False,
) -> int:
    """Show how deployments are.

    All, those of one environment, or those of one name.
    """
    from dockyard.cli.choices import choose_filter

    session = find_session(context, json=json, verbose=verbose)
    settings = session.load_settings(config)
    place, deployment = choose_filter(settings, name, environment)
    return session.show(session.open_kit(settings).status(place, deployment))
