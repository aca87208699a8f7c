"""Owns `dockyard render`: what a deploy would apply, as files. One subcommand for each target that has files."""

from __future__ import annotations

import typer

from dockyard.cli import options as opt
from dockyard.cli.root import app, make_app
from dockyard.cli.session import find_session
from dockyard.domain.deployment import Target
from dockyard.domain.rendering import RenderForm

render_app = make_app("Write what a deploy would apply into files.")
app.add_typer(render_app, name="render")


@render_app.command("k8s")
def render_k8s(
    context: typer.Context,
    *,
    model: opt.ModelOption,
    folder: opt.FolderOption,
    form: opt.FormOption = RenderForm.PLAIN,
    name: opt.NameOption = None,
    environment: opt.K8sEnvironmentOption = None,
    namespace: opt.RenderNamespaceOption = None,
    replicas: opt.ReplicasOption = None,
    repository: opt.RepositoryOption = None,
    image: opt.ImageOption = None,
    revision: opt.RenderRevisionOption = None,
    git_url: opt.GitUrlOption = None,
    git_branch: opt.GitBranchOption = "main",
    git_path: opt.GitPathOption = None,
    variables: opt.VariablesOption = None,
    timeout: opt.TimeoutOption = None,
    builder: opt.BuilderOption = None,
    base: opt.BaseOption = None,
    config: opt.ConfigOption = None,
    json: opt.JsonOption = False,
    verbose: opt.VerboseOption = False,
) -> int:
    """Write what `deploy k8s` would apply into a folder, for GitOps; prints the folder.

    The image is built and pushed, and named by its digest; no cluster is asked. The same input gives the same bytes. Files of
    an earlier render that are not needed any more are removed, all others stay. What looks like a secret is refused.
    """
    from dockyard.cli.choices import Wish, choose_image_flags, lay_flags, load_target_settings, make_k8s_request
    from dockyard.cli.render_choices import RenderWish, find_repository, make_render_request

    session = find_session(context, json=json, verbose=verbose)
    flags = choose_image_flags(builder, base, repository or find_repository(image))
    given = {"namespace": namespace, "replicas": replicas}
    settings, named = load_target_settings(session, (config, environment, Target.K8S), given, flags)
    place = lay_flags(named, timeout=timeout)
    wish = Wish(model=model, name=name, variables=tuple(variables or ()), promote=False, lock_wait=0.0)
    deploy = make_k8s_request(wish, place, settings.image, session)
    files = RenderWish(form=form, folder=folder, image=image, revision=revision, git=(git_url, git_branch, git_path))
    return session.show(session.open_kit(settings).render(make_render_request(deploy, place, files, session.folder)))


@render_app.command("terraform")
def render_terraform(
    context: typer.Context,
    *,
    model: opt.ModelOption,
    folder: opt.FolderOption,
    module: opt.ModuleOption,
    name: opt.NameOption = None,
    environment: opt.SageMakerEnvironmentOption = None,
    instance: opt.InstanceOption = None,
    count: opt.CountOption = None,
    rollout: opt.RolloutOption = None,
    role: opt.RoleOption = None,
    region: opt.RegionOption = None,
    repository: opt.RepositoryOption = None,
    image: opt.ImageOption = None,
    revision: opt.RenderRevisionOption = None,
    variables: opt.VariablesOption = None,
    builder: opt.BuilderOption = None,
    base: opt.BaseOption = None,
    config: opt.ConfigOption = None,
    json: opt.JsonOption = False,
    verbose: opt.VerboseOption = False,
) -> int:
    """Write what `deploy sagemaker` would make as Terraform into a folder; prints the folder.

    For those who keep endpoints with Terraform: the file calls the module `endpoint` with the image by its digest and the
    settings of dockyard.yaml. The image is built and pushed; no endpoint is asked. What the module has no argument for, and
    what looks like a secret, is refused.
    """
    from dockyard.cli.choices import (
        Wish,
        choose_image_flags,
        load_target_settings,
        make_sagemaker_request,
        refuse_secret_variables,
    )
    from dockyard.cli.render_choices import find_repository, make_terraform_request

    session = find_session(context, json=json, verbose=verbose)
    flags = choose_image_flags(builder, base, repository or find_repository(image))
    given = {"instance": instance, "count": count, "role": role, "region": region}
    given |= {"rollout.kind": rollout.value if rollout else None}
    settings, place = load_target_settings(session, (config, environment, Target.SAGEMAKER), given, flags)
    refuse_secret_variables(place, "the file", "have the model fetch it from Secrets Manager, with its role")
    wish = Wish(model=model, name=name, variables=tuple(variables or ()), promote=False, lock_wait=0.0)
    deploy = make_sagemaker_request(wish, place, settings.image, session)
    request = make_terraform_request(deploy, module, (folder, session.folder), image, revision)
    return session.show(session.open_kit(settings).render(request))
