"""Owns `dockyard deploy`, which is also the console script `deploy`: one subcommand for each target."""

from __future__ import annotations

import typer

from dockyard.cli import options as opt
from dockyard.cli.root import app, make_app
from dockyard.cli.session import find_session

deploy_app = make_app("Bring a model into service.")
app.add_typer(deploy_app, name="deploy")


@deploy_app.command("local")
def deploy_local(
    context: typer.Context,
    *,
    model: opt.ModelOption,
    name: opt.NameOption = None,
    environment: opt.EnvironmentOption = None,
    plan: opt.PlanOption = False,
    detailed_exitcode: opt.DetailedOption = False,
    promote: opt.PromoteOption = False,
    port: opt.PortOption = None,
    runtime: opt.RuntimeOption = None,
    variables: opt.VariablesOption = None,
    timeout: opt.TimeoutOption = None,
    lock_wait: opt.LockWaitOption = 0.0,
    builder: opt.BuilderOption = None,
    base: opt.BaseOption = None,
    config: opt.ConfigOption = None,
    json: opt.JsonOption = False,
    verbose: opt.VerboseOption = False,
) -> int:
    """Bring a model into service on this machine; prints the endpoint's URL.

    The image is built where it is not there yet. A new revision is proved with the model's own input example before it gets
    traffic; where it fails, the old one serves on. What serves already is left alone.
    """
    from dockyard.cli.choices import Wish, choose_environment, choose_image_flags, lay_flags, make_deploy_request

    session = find_session(context, json=json, verbose=verbose)
    settings = session.load_settings(config, *choose_image_flags(builder, base))
    place = lay_flags(choose_environment(settings, environment, session.environ), runtime=runtime, port=port, timeout=timeout)
    wish = Wish(model=model, name=name, variables=tuple(variables or ()), promote=promote, lock_wait=lock_wait)
    request = make_deploy_request(wish, place, settings.image, session)
    result = session.open_kit(settings).deploy(request, plan_only=plan)
    return session.show(result, tells_changes=detailed_exitcode)
