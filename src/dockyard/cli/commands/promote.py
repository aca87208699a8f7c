"""Owns `dockyard promote`: what was paused takes over, and the environment's alias points at what serves."""

from __future__ import annotations

import typer

from dockyard.cli import options as opt
from dockyard.cli.root import app
from dockyard.cli.session import find_session


@app.command("promote")
def promote_version(
    context: typer.Context,
    *,
    name: opt.NameArgument,
    environment: opt.EnvironmentOption = None,
    cluster_context: opt.ContextOption = None,
    namespace: opt.NamespaceOption = None,
    region: opt.RegionOption = None,
    config: opt.ConfigOption = None,
    json: opt.JsonOption = False,
    verbose: opt.VerboseOption = False,
) -> int:
    """Point the environment's alias at the version that serves.

    The alias is called as the environment. On Kubernetes, a candidate that a deploy with `--pause` left takes over first.
    """
    from dockyard.cli.places import Whereabouts, load_key

    session = find_session(context, json=json, verbose=verbose)
    where = Whereabouts(config=config, environment=environment, context=cluster_context, namespace=namespace, region=region)
    settings, key = load_key(session, name, where)
    return session.show(session.open_kit(settings).promote(key))
