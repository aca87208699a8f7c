"""Owns `dockyard batch`: a model answers for objects on S3, without an endpoint."""

from __future__ import annotations

import typer

from dockyard.cli import options as opt
from dockyard.cli.root import app, make_app
from dockyard.cli.session import find_session

batch_app = make_app("Have a model answer for many requests at once.")
app.add_typer(batch_app, name="batch")


@batch_app.command("sagemaker")
def batch_sagemaker(
    context: typer.Context,
    *,
    model: opt.ModelOption,
    source: opt.InputOption,
    target: opt.OutputOption,
    name: opt.NameOption = None,
    environment: opt.SageMakerEnvironmentOption = None,
    plan: opt.PlanOption = False,
    detailed_exitcode: opt.DetailedOption = False,
    yes: opt.YesOption = False,
    no_wait: opt.JobNoWaitOption = False,
    instance: opt.InstanceOption = None,
    count: opt.CountOption = None,
    content_type: opt.BatchContentTypeOption = None,
    accept: opt.AcceptOption = None,
    split: opt.SplitOption = None,
    assemble: opt.AssembleOption = None,
    strategy: opt.StrategyOption = None,
    max_payload: opt.PayloadOption = None,
    max_concurrent: opt.ConcurrentOption = None,
    role: opt.RoleOption = None,
    region: opt.RegionOption = None,
    variables: opt.VariablesOption = None,
    timeout: opt.JobTimeoutOption = None,
    lock_wait: opt.LockWaitOption = 0.0,
    builder: opt.BuilderOption = None,
    base: opt.BaseOption = None,
    config: opt.ConfigOption = None,
    json: opt.JsonOption = False,
    verbose: opt.VerboseOption = False,
) -> int:
    """Run a batch transform job on Amazon SageMaker; prints where its answers are.

    The job runs the same image as a deployment of the model does, and uses a deployment's model where there is one. Otherwise
    it makes its own, which goes away with it. The same command while the job runs waits for it.
    """
    from dockyard.cli.approval import ask_for_supplies
    from dockyard.cli.choices import (
        Wish,
        choose_image_flags,
        load_sagemaker_settings,
        make_batch_request,
        make_sagemaker_request,
    )

    session = find_session(context, json=json, verbose=verbose)
    given = {
        "role": role,
        "region": region,
        "batch.instance": instance,
        "batch.count": count,
        "batch.content_type": content_type,
        "batch.accept": accept,
        "batch.split": split.value if split else None,
        "batch.assemble": assemble.value if assemble else None,
        "batch.strategy": strategy.value if strategy else None,
        "batch.max_payload_mb": max_payload,
        "batch.max_concurrent": max_concurrent,
        "batch.timeout_seconds": timeout,
    }
    settings, place = load_sagemaker_settings(session, config, environment, given, choose_image_flags(builder, base))
    wish = Wish(model=model, name=name, variables=tuple(variables or ()), promote=False, lock_wait=lock_wait)
    deploy = make_sagemaker_request(wish, place, settings.image, session)
    request = make_batch_request(deploy, place, (source, target), waits=not no_wait)
    approve = None if yes else ask_for_supplies(session)
    result = session.open_kit(settings).batch(request, plan_only=plan, approve=approve)
    return session.show(result, tells_changes=detailed_exitcode)
