"""Owns `dockyard drift`: how far deployments are from what they should be."""

from __future__ import annotations

import typer

from dockyard.cli import options as opt
from dockyard.cli.root import app
from dockyard.cli.session import find_session


@app.command("drift")
def show_drift(
    context: typer.Context,
    *,
    name: opt.AnyNameArgument = None,
    environment: opt.OnlyEnvironmentOption = None,
    config: opt.ConfigOption = None,
    json: opt.JsonOption = False,
    verbose: opt.VerboseOption = False,
) -> int:
    """Show what differs from what was deployed.

    And what would bring it back. Exits with 4 where anything differs.
    """
    from dataclasses import replace

    from dockyard.cli.choices import choose_key

    session = find_session(context, json=json, verbose=verbose)
    settings = session.load_settings(config)
    if name is not None:
        key = choose_key(settings, name, environment, session.environ)
        return session.show(session.open_kit(settings).drift(key))
    place = settings.find_environment(environment).name if environment else None
    result = session.open_kit(settings).drift(None)
    kept = tuple(one for one in result.deployments if place in {None, one.key.environment})
    return session.show(replace(result, deployments=kept))
