"""Owns `render`: what a deploy would apply becomes files, for a tool that applies them. Cluster and account are not asked.

A folder's own lock says which revision it holds, so that numbers go on from commit to commit as from deploy to deploy.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from dockyard.domain.attempt import AttemptKind, AttemptStatus, Failure, RegistryEntry
from dockyard.domain.deployment import DeploymentKey, RevisionSpec
from dockyard.domain.errors import DockyardError, PartialError, UsageError
from dockyard.domain.image import Fingerprint, Footprint, ImageDigest, ImageRecipe
from dockyard.domain.k8s import Blueprint, K8sSpec
from dockyard.domain.model import ModelIdentity
from dockyard.domain.rendering import ModuleShape, RenderLock, RenderShape
from dockyard.domain.request import DeployRequest, RenderRequest, TerraformRequest
from dockyard.domain.result import RenderResult, ResultStatus
from dockyard.domain.sagemaker import RolloutKind, SageMakerSpec
from dockyard.domain.sagemaker_blueprint import EndpointBlueprint
from dockyard.ports import ResolvedModel
from dockyard.ports_rendering import FolderChange, Renderer
from dockyard.usecases.build import push_image
from dockyard.usecases.record import write_or_queue
from dockyard.usecases.workbench import Workbench

B = TypeVar("B", Blueprint, EndpointBlueprint)
S = TypeVar("S", RenderShape, ModuleShape)


def render(bench: Workbench, renderer: Renderer[Blueprint, RenderShape], request: RenderRequest) -> RenderResult:
    """Write a deployment's objects into a folder; the image is built and pushed first, where none is named.

    Raises what the site refuses, what resolving, building and pushing raise, UsageError `secret-found`, and ConflictError
    `render-conflict`.
    """
    asked, before = request.deploy, renderer.read_lock(request.folder)
    draft = _draft(bench, asked, request.image)
    spec = K8sSpec(model=draft.model, fingerprint=draft.fingerprint, settings=asked.settings)
    number = request.revision or choose_number(before, spec, draft.image)
    blueprint = Blueprint(
        key=asked.key,
        number=number,
        spec=spec,
        image=draft.image,
        footprint=_find_footprint(bench, draft),
        policy=asked.policy,
    )
    return _write(bench, renderer, request.folder, blueprint, request.shape)


def render_terraform(
    bench: Workbench, renderer: Renderer[EndpointBlueprint, ModuleShape], request: TerraformRequest
) -> RenderResult:
    """Write a deployment's endpoint into a folder, as Terraform. Raises as `render`, and UsageError `setting-invalid`."""
    asked, before = request.deploy, renderer.read_lock(request.folder)
    if not asked.settings.role:
        raise UsageError(
            "setting-invalid",
            f"nothing says as which role the endpoint of {asked.key} runs",
            hint="set `role`: the module `sagemaker-role` makes one, and puts its ARN out as `execution_role_arn`",
        )
    draft = _draft(bench, asked, request.image)
    spec = SageMakerSpec(model=draft.model, fingerprint=draft.fingerprint, settings=asked.settings)
    number = request.revision or choose_number(before, spec, draft.image)
    blueprint = EndpointBlueprint(key=asked.key, number=number, spec=spec, image=draft.image, policy=asked.policy)
    if asked.policy.rollout.kind is RolloutKind.SHADOW and before is not None and before.image != draft.image:
        blueprint = _keep_serving(before, blueprint)
    return _write(bench, renderer, request.folder, blueprint, request.shape)


def _keep_serving(before: RenderLock, coming: EndpointBlueprint) -> EndpointBlueprint:
    """What was rendered last goes on serving, and what is to come gets copies of its requests."""
    if before.settings_hash != coming.spec.settings_hash:
        raise UsageError(
            "setting-invalid",
            f"a shadow has the settings of what serves, and those of {coming.key} have changed since it was rendered",
            hint="render the changed settings with another `rollout.kind` first",
        )
    spec = dataclasses.replace(coming.spec, model=before.model, fingerprint=before.fingerprint)
    return dataclasses.replace(coming, number=before.revision, spec=spec, image=before.image, shadow=coming.image)


def choose_number(before: RenderLock | None, spec: RevisionSpec, image: ImageDigest) -> int:
    """The number of a revision whose folder holds that: the same for the same revision."""
    if before is None:
        return 1
    return before.revision if (before.spec_hash, before.image) == (spec.spec_hash, image) else before.revision + 1


def describe_lock(
    blueprint: Blueprint | EndpointBlueprint, shape: RenderShape | ModuleShape, files: Mapping[str, bytes]
) -> RenderLock:
    """Return what is to be said of files that were rendered."""
    return RenderLock(
        deployment=str(blueprint.key),
        namespace=shape.namespace,
        form=shape.form,
        revision=blueprint.number,
        spec_hash=blueprint.spec.spec_hash,
        settings_hash=blueprint.spec.settings_hash,
        model=blueprint.spec.model,
        fingerprint=blueprint.spec.fingerprint,
        image=blueprint.image,
        files={path: f"sha256:{hashlib.sha256(content).hexdigest()}" for path, content in sorted(files.items())},
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Draft:
    """What a blueprint is about."""

    model: ModelIdentity
    fingerprint: Fingerprint
    image: ImageDigest


def _draft(bench: Workbench, asked: DeployRequest, image: ImageDigest | None) -> _Draft:
    """Resolve the model, and provide the image that its target takes, unless one is named."""
    site = bench.sites.find(asked.key.environment)
    site.prepare(asked)
    with bench.progress.begin(f"resolve {asked.ref}"):
        model = bench.registry.resolve_model(asked.ref)
    with bench.progress.begin("lock the requirements and look up the base image"):
        recipe = bench.images.describe_recipe(model, site.choose_image(asked, model.version.python))
    provided = image or _provide_image(bench, recipe, model)
    return _Draft(model=model.version.identity, fingerprint=recipe.fingerprint, image=provided)


def _find_footprint(bench: Workbench, draft: _Draft) -> Footprint | None:
    """What the image itself says, wherever it is: two that render it get the same. Where it cannot be asked, nothing."""
    built = bench.images.find_image(draft.fingerprint)
    if built is not None and draft.image.endswith(f"@{built.digest}"):
        return built.footprint
    try:
        return bench.images.read_footprint(draft.image)
    except DockyardError as error:
        bench.progress.note(f"{error.message}: pods get what is set, or the usual, and not what was measured of the image")
        return None


def _provide_image(bench: Workbench, recipe: ImageRecipe, model: ResolvedModel) -> ImageDigest:
    repository = recipe.settings.repository
    if repository is None:
        raise UsageError("usage", "there is no repository to push to", hint="set `image.repository` in dockyard.yaml")
    image = bench.images.find_image(recipe.fingerprint) or bench.images.build_image(recipe, model)
    return push_image(bench, image, repository)


def _write(bench: Workbench, renderer: Renderer[B, S], folder: Path, blueprint: B, shape: S) -> RenderResult:
    """Bring the folder to what the blueprint says, and tell what that changed."""
    files = renderer.render_files(blueprint, shape)
    lock = describe_lock(blueprint, shape, files)
    return _record(bench, folder, (blueprint.key, lock), renderer.write_files(folder, lock, files))


def _record(bench: Workbench, folder: Path, rendered: tuple[DeploymentKey, RenderLock], change: FolderChange) -> RenderResult:
    """Return the result; the registry's history gets what was changed."""
    key, lock = rendered
    is_changed = bool(change.written or change.removed)
    failures = _write_history(bench, key, lock.revision, lock.model) if is_changed else ()
    changed = ResultStatus.PARTIAL if failures else ResultStatus.RENDERED
    return RenderResult(
        status=changed if is_changed else ResultStatus.UNCHANGED,
        key=key,
        folder=str(folder),
        form=lock.form,
        revision=lock.revision,
        model=lock.model,
        image=lock.image,
        written=change.written,
        removed=change.removed,
        failures=failures,
    )


def _write_history(bench: Workbench, key: DeploymentKey, number: int, model: ModelIdentity) -> tuple[Failure, ...]:
    """No tag of the model version says more afterwards: that files were written does not mean that anything serves."""
    begun = bench.begin_attempt(key, AttemptKind.RENDER)
    attempt = dataclasses.replace(begun, status=AttemptStatus.SUCCEEDED, finished=bench.now(), model=model, revision=number)
    try:
        write_or_queue(bench.writer, bench.queue, RegistryEntry(attempt=attempt, registry=model.registry))
    except PartialError as pending:
        return (Failure.of(pending),)
    return ()
