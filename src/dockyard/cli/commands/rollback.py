"""Owns `dockyard rollback`: back to an earlier revision."""

from __future__ import annotations

import typer

from dockyard.cli import options as opt
from dockyard.cli.root import app
from dockyard.cli.session import find_session


@app.command("rollback")
def roll_back(
    context: typer.Context,
    *,
    name: opt.NameArgument,
    environment: opt.EnvironmentOption = None,
    cluster_context: opt.ContextOption = None,
    namespace: opt.NamespaceOption = None,
    region: opt.RegionOption = None,
    revision: opt.RevisionOption = None,
    plan: opt.PlanOption = False,
    detailed_exitcode: opt.DetailedOption = False,
    lock_wait: opt.LockWaitOption = 0.0,
    config: opt.ConfigOption = None,
    json: opt.JsonOption = False,
    verbose: opt.VerboseOption = False,
) -> int:
    """Bring an earlier revision back; prints the endpoint's URL.

    By default the newest one below the serving one that has served. It is proved again before it gets traffic.
    """
    from dockyard.cli.places import Whereabouts, load_key
    from dockyard.domain.request import RollbackRequest

    session = find_session(context, json=json, verbose=verbose)
    where = Whereabouts(config=config, environment=environment, context=cluster_context, namespace=namespace, region=region)
    settings, key = load_key(session, name, where)
    place = settings.find_environment(key.environment)
    request = RollbackRequest(
        key=key,
        number=revision,
        history_limit=place.history_limit,
        smoke_requests=place.smoke_requests,
        lock_wait_seconds=lock_wait,
    )
    result = session.open_kit(settings).rollback(request, plan_only=plan)
    return session.show(result, tells_changes=detailed_exitcode)
