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
    from dockyard.cli.choices import (
        Wish,
        choose_environment,
        choose_image_flags,
        lay_flags,
        make_deploy_request,
        require_target,
    )
    from dockyard.domain.deployment import Target

    session = find_session(context, json=json, verbose=verbose)
    settings = session.load_settings(config, *choose_image_flags(builder, base))
    named = require_target(choose_environment(settings, environment, session.environ), Target.LOCAL)
    place = lay_flags(named, runtime=runtime, port=port, timeout=timeout)
    wish = Wish(model=model, name=name, variables=tuple(variables or ()), promote=promote, lock_wait=lock_wait)
    request = make_deploy_request(wish, place, settings.image, session)
    result = session.open_kit(settings).deploy(request, plan_only=plan)
    return session.show(result, tells_changes=detailed_exitcode)


@deploy_app.command("k8s")
def deploy_k8s(
    context: typer.Context,
    *,
    model: opt.ModelOption,
    name: opt.NameOption = None,
    environment: opt.K8sEnvironmentOption = None,
    plan: opt.PlanOption = False,
    detailed_exitcode: opt.DetailedOption = False,
    promote: opt.PromoteOption = False,
    namespace: opt.NamespaceOption = None,
    cluster_context: opt.ContextOption = None,
    replicas: opt.ReplicasOption = None,
    rollout: opt.K8sRolloutOption = None,
    pause: opt.PauseOption = False,
    repository: opt.RepositoryOption = None,
    force_conflicts: opt.ForceConflictsOption = False,
    variables: opt.VariablesOption = None,
    timeout: opt.TimeoutOption = None,
    lock_wait: opt.LockWaitOption = 0.0,
    builder: opt.BuilderOption = None,
    base: opt.BaseOption = None,
    config: opt.ConfigOption = None,
    json: opt.JsonOption = False,
    verbose: opt.VerboseOption = False,
) -> int:
    """Bring a model into service on Kubernetes; prints the Service's URL.

    Needs a cluster that kubectl reaches, a namespace, and a registry that its nodes take images from. No pod gets requests
    before it has answered the model's own input example; where one fails, the old revision serves on. Pods are replaced one at
    a time, or with `--rollout` a candidate beside them gets requests first.
    """
    from dockyard.cli.choices import Wish, choose_image_flags, lay_flags, load_target_settings, make_k8s_request
    from dockyard.domain.deployment import Target

    session = find_session(context, json=json, verbose=verbose)
    given = {"namespace": namespace, "context": cluster_context, "replicas": replicas}
    given |= {"force_conflicts": force_conflicts or None, "rollout.pause": pause or None}
    given |= {"rollout.kind": rollout.value if rollout else None}
    flags = choose_image_flags(builder, base, repository)
    settings, named = load_target_settings(session, (config, environment, Target.K8S), given, flags)
    place = lay_flags(named, timeout=timeout)
    wish = Wish(model=model, name=name, variables=tuple(variables or ()), promote=promote, lock_wait=lock_wait)
    request = make_k8s_request(wish, place, settings.image, session)
    result = session.open_kit(settings).deploy(request, plan_only=plan)
    return session.show(result, tells_changes=detailed_exitcode)


@deploy_app.command("sagemaker")
def deploy_sagemaker(
    context: typer.Context,
    *,
    model: opt.ModelOption,
    name: opt.NameOption = None,
    environment: opt.SageMakerEnvironmentOption = None,
    plan: opt.PlanOption = False,
    detailed_exitcode: opt.DetailedOption = False,
    yes: opt.YesOption = False,
    no_wait: opt.NoWaitOption = False,
    promote: opt.PromoteOption = False,
    instance: opt.InstanceOption = None,
    count: opt.CountOption = None,
    rollout: opt.RolloutOption = None,
    role: opt.RoleOption = None,
    region: opt.RegionOption = None,
    variables: opt.VariablesOption = None,
    timeout: opt.TimeoutOption = None,
    lock_wait: opt.LockWaitOption = 0.0,
    builder: opt.BuilderOption = None,
    base: opt.BaseOption = None,
    config: opt.ConfigOption = None,
    json: opt.JsonOption = False,
    verbose: opt.VerboseOption = False,
) -> int:
    """Bring a model into service on Amazon SageMaker; prints the endpoint's name.

    Needs AWS credentials and nothing else: image repository and execution role are made where they are missing, which it asks
    about first. A new revision gets traffic only when it has proved itself; where it fails, the old one serves on.
    """
    from dockyard.cli.approval import ask_for_supplies
    from dockyard.cli.choices import Wish, choose_image_flags, load_target_settings, make_sagemaker_request
    from dockyard.domain.deployment import Target

    session = find_session(context, json=json, verbose=verbose)
    given = {"instance": instance, "count": count, "role": role, "region": region, "timeout_seconds": timeout}
    given |= {"rollout.kind": rollout.value if rollout else None}
    flags = choose_image_flags(builder, base)
    settings, place = load_target_settings(session, (config, environment, Target.SAGEMAKER), given, flags)
    wish = Wish(
        model=model, name=name, variables=tuple(variables or ()), promote=promote, lock_wait=lock_wait, waits=not no_wait
    )
    request = make_sagemaker_request(wish, place, settings.image, session)
    approve = None if yes else ask_for_supplies(session)
    result = session.open_kit(settings).deploy(request, plan_only=plan, approve=approve)
    return session.show(result, tells_changes=detailed_exitcode)
