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
    config: opt.ConfigOption = None,
    json: opt.JsonOption = False,
    verbose: opt.VerboseOption = False,
) -> int:
    """Point the environment's alias at the version that serves.

    The alias is called as the environment. On Kubernetes, a candidate that a deploy with `--pause` left takes over first.
    """
    from dockyard.cli.choices import choose_key

    session = find_session(context, json=json, verbose=verbose)
    settings = session.load_settings(config)
    key = choose_key(settings, name, environment, session.environ)
    return session.show(session.open_kit(settings).promote(key))
