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
    from dockyard.cli.choices import choose_key
    from dockyard.cli.render import show_lines
    from dockyard.domain.errors import UsageError
    from dockyard.domain.result import LogsResult

    session = find_session(context, json=json, verbose=verbose)
    if json and follow:
        raise UsageError("usage", "`--follow` has no end, so it cannot be one JSON document", hint="leave out `--json`")
    settings = session.load_settings(config)
    key = choose_key(settings, name, environment, session.environ)
    lines = session.open_kit(settings).logs(key, revision, follow=follow, tail=tail)
    return session.show(LogsResult(key=key, lines=tuple(lines))) if json else show_lines(lines, session)
