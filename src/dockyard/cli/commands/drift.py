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
    cluster_context: opt.ContextOption = None,
    namespace: opt.NamespaceOption = None,
    region: opt.RegionOption = None,
    config: opt.ConfigOption = None,
    json: opt.JsonOption = False,
    verbose: opt.VerboseOption = False,
) -> int:
    """Show what differs from what was deployed.

    And what would bring it back. Exits with 4 where anything differs.
    """
    from dataclasses import replace

    from dockyard.cli.places import Whereabouts, load_filter, load_key

    session = find_session(context, json=json, verbose=verbose)
    where = Whereabouts(config=config, environment=environment, context=cluster_context, namespace=namespace, region=region)
    if name is not None:
        settings, key = load_key(session, name, where)
        return session.show(session.open_kit(settings).drift(key))
    settings, place, _ = load_filter(session, None, where)
    result = session.open_kit(settings).drift(None)
    kept = tuple(one for one in result.deployments if place in {None, one.key.environment})
    return session.show(replace(result, deployments=kept))
