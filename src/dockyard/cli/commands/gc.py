"""Owns `dockyard gc`: what nothing needs goes away."""

from __future__ import annotations

import typer

from dockyard.cli import options as opt
from dockyard.cli.root import app
from dockyard.cli.session import find_session


@app.command("gc")
def collect_garbage(
    context: typer.Context,
    *,
    plan: opt.PlanOption = False,
    config: opt.ConfigOption = None,
    json: opt.JsonOption = False,
    verbose: opt.VerboseOption = False,
) -> int:
    """Remove what nothing needs.

    Images that no revision uses, and what interrupted commands have left behind.
    """
    session = find_session(context, json=json, verbose=verbose)
    return session.show(session.load_kit(config).gc(plan_only=plan))
