"""Owns `dockyard delete`: a deployment goes away."""

from __future__ import annotations

import typer

from dockyard.cli import options as opt
from dockyard.cli.root import app
from dockyard.cli.session import find_session


@app.command("delete")
def delete_deployment(
    context: typer.Context,
    *,
    name: opt.NameArgument,
    environment: opt.EnvironmentOption = None,
    cluster_context: opt.ContextOption = None,
    namespace: opt.NamespaceOption = None,
    region: opt.RegionOption = None,
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
    from dockyard.cli.approval import require_yes
    from dockyard.cli.places import Whereabouts, load_key
    from dockyard.domain.request import DeleteRequest

    session = find_session(context, json=json, verbose=verbose)
    where = Whereabouts(config=config, environment=environment, context=cluster_context, namespace=namespace, region=region)
    settings, key = load_key(session, name, where)
    request = DeleteRequest(key=key, lock_wait_seconds=lock_wait)
    kit = session.open_kit(settings)
    if not (plan or yes) and session.stdin.isatty():
        require_yes(session, kit.delete(request, plan_only=True).plan, f"delete {key}?", refused=f"{key} was not deleted")
    return session.show(kit.delete(request, plan_only=plan), tells_changes=detailed_exitcode)
