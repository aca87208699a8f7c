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
    cluster_context: opt.ContextOption = None,
    namespace: opt.NamespaceOption = None,
    region: opt.RegionOption = None,
    config: opt.ConfigOption = None,
    json: opt.JsonOption = False,
    verbose: opt.VerboseOption = False,
) -> int:
    """Show how deployments are.

    All, those of one environment, or those of one name.
    """
    from dockyard.cli.places import Whereabouts, load_filter

    session = find_session(context, json=json, verbose=verbose)
    where = Whereabouts(config=config, environment=environment, context=cluster_context, namespace=namespace, region=region)
    settings, place, deployment = load_filter(session, name, where)
    return session.show(session.open_kit(settings).status(place, deployment))
