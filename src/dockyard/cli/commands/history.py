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
    cluster_context: opt.ContextOption = None,
    namespace: opt.NamespaceOption = None,
    region: opt.RegionOption = None,
    limit: opt.LimitOption = 20,
    config: opt.ConfigOption = None,
    json: opt.JsonOption = False,
    verbose: opt.VerboseOption = False,
) -> int:
    """Show what was done to a deployment, newest first."""
    from dockyard.cli.places import Whereabouts, load_key

    session = find_session(context, json=json, verbose=verbose)
    where = Whereabouts(config=config, environment=environment, context=cluster_context, namespace=namespace, region=region)
    settings, key = load_key(session, name, where)
    return session.show(session.open_kit(settings).history(key, limit))
