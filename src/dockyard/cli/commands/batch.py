"""Owns `dockyard batch`: a model answers for objects on S3, without an endpoint."""

from __future__ import annotations

import typer

from dockyard.cli import options as opt
from dockyard.cli.root import app, make_app
from dockyard.cli.session import find_session
from dockyard.domain.deployment import Target

_KEYS = (
    "instance",
    "count",
    "content_type",
    "accept",
    "split",
    "assemble",
    "strategy",
    "max_payload_mb",
    "max_concurrent",
    "timeout_seconds",
)
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
    from dockyard.cli import choices
    from dockyard.cli.approval import ask_for_supplies

    session = find_session(context, json=json, verbose=verbose)
    values = (instance, count, content_type, accept, split, assemble, strategy, max_payload, max_concurrent, timeout)
    given = {"role": role, "region": region, **_name_settings(values)}
    flags = choices.choose_image_flags(builder, base)
    settings, place = choices.load_target_settings(session, (config, environment, Target.SAGEMAKER), given, flags)
    wish = choices.Wish(model=model, name=name, variables=tuple(variables or ()), promote=False, lock_wait=lock_wait)
    deploy = choices.make_sagemaker_request(wish, place, settings.image, session)
    request = choices.make_batch_request(deploy, place, (source, target), waits=not no_wait)
    result = session.open_kit(settings).batch(request, plan_only=plan, approve=None if yes else ask_for_supplies(session))
    return session.show(result, tells_changes=detailed_exitcode)


def _name_settings(values: tuple[object, ...]) -> dict[str, object]:
    """The options of a job by their keys of the section `batch`, in the order of _KEYS."""
    return {f"batch.{key}": getattr(value, "value", value) for key, value in zip(_KEYS, values, strict=True)}
