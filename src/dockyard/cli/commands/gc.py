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
    cache_days: opt.CacheDaysOption = 30,
    config: opt.ConfigOption = None,
    json: opt.JsonOption = False,
    verbose: opt.VerboseOption = False,
) -> int:
    """Remove what nothing needs.

    Images that no revision uses, what interrupted commands have left behind, and downloads that nothing has used for long:
    they are fetched again when they are needed.
    """
    session = find_session(context, json=json, verbose=verbose)
    return session.show(session.load_kit(config).gc(cache_days=cache_days, plan_only=plan))
