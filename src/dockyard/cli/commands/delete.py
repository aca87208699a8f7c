"""Owns `dockyard delete`: a deployment goes away."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from dockyard.cli import options as opt
from dockyard.cli.root import app
from dockyard.cli.session import Session, find_session

if TYPE_CHECKING:
    from dockyard.cli.kit import Kit
    from dockyard.domain.request import DeleteRequest


@app.command("delete")
def delete_deployment(
    context: typer.Context,
    *,
    name: opt.NameArgument,
    environment: opt.EnvironmentOption = None,
    plan: opt.PlanOption = False,
    detailed_exitcode: opt.DetailedOption = False,
    yes: opt.YesOption = False,
    lock_wait: opt.LockWaitOption = 0.0,
    config: opt.ConfigOption = None,
    json: opt.JsonOption = False,
    verbose: opt.VerboseOption = False,
) -> int:
    """Take a deployment away, with all its revisions.

    Its history stays in the registry. At a terminal it asks before it does.
    """
    from dockyard.cli.choices import choose_key
    from dockyard.domain.request import DeleteRequest

    session = find_session(context, json=json, verbose=verbose)
    settings = session.load_settings(config)
    key = choose_key(settings, name, environment, session.environ)
    request = DeleteRequest(key=key, lock_wait_seconds=lock_wait)
    kit = session.open_kit(settings)
    if not (plan or yes) and session.stdin.isatty():
        _ask(kit, request, session)
    return session.show(kit.delete(request, plan_only=plan), tells_changes=detailed_exitcode)


def _ask(kit: Kit, request: DeleteRequest, session: Session) -> None:
    """Show what would go away, and go on only for a yes. Raises CancelledError."""
    from dockyard.cli.render import show_aside
    from dockyard.cli.views.plan import plan_lines
    from dockyard.domain.errors import CancelledError

    plan = kit.delete(request, plan_only=True).plan
    show_aside("".join(f"{line}\n" for line in plan_lines(plan)) + f"delete {request.key}? [y/N] ", session)
    if session.stdin.readline().strip().lower() not in {"y", "yes"}:
        raise CancelledError("cancelled", f"{request.key} was not deleted", hint="answer `y`, or give `--yes`")
