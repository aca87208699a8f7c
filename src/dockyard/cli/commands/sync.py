"""Owns `dockyard sync`: records that could not be written are sent."""

from __future__ import annotations

import typer

from dockyard.cli import options as opt
from dockyard.cli.root import app
from dockyard.cli.session import find_session


@app.command("sync")
def send_records(
    context: typer.Context,
    *,
    config: opt.ConfigOption = None,
    json: opt.JsonOption = False,
    verbose: opt.VerboseOption = False,
) -> int:
    """Send the records that still wait for the registry.

    A record waits where the registry did not answer when its deployment was done.
    """
    session = find_session(context, json=json, verbose=verbose)
    return session.show(session.load_kit(config).sync())
