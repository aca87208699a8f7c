"""Owns `dockyard logs`: what a revision has printed."""

from __future__ import annotations

import typer

from dockyard.cli import options as opt
from dockyard.cli.root import app
from dockyard.cli.session import find_session


@app.command("logs")
def show_logs(
    context: typer.Context,
    *,
    name: opt.NameArgument,
    environment: opt.EnvironmentOption = None,
    cluster_context: opt.ContextOption = None,
    namespace: opt.NamespaceOption = None,
    region: opt.RegionOption = None,
    revision: opt.RevisionOption = None,
    follow: opt.FollowOption = False,
    tail: opt.TailOption = 100,
    config: opt.ConfigOption = None,
    json: opt.JsonOption = False,
    verbose: opt.VerboseOption = False,
) -> int:
    """Show what a revision has logged.

    By default the one that serves.
    """
    from dockyard.cli.places import Whereabouts, load_key
    from dockyard.cli.render import show_lines
    from dockyard.domain.errors import UsageError
    from dockyard.domain.result import LogsResult

    session = find_session(context, json=json, verbose=verbose)
    if json and follow:
        raise UsageError("usage", "`--follow` has no end, so it cannot be one JSON document", hint="leave out `--json`")
    where = Whereabouts(config=config, environment=environment, context=cluster_context, namespace=namespace, region=region)
    settings, key = load_key(session, name, where)
    lines = session.open_kit(settings).logs(key, revision, follow=follow, tail=tail)
    return session.show(LogsResult(key=key, lines=tuple(lines))) if json else show_lines(lines, session)
