"""Owns the first verb, observe: one snapshot of the host, the image store and the registry for a local deployment."""

from __future__ import annotations

from dockyard.domain.deployment import DeploymentKey, Revision, RevisionSpec
from dockyard.domain.errors import NotFoundError
from dockyard.domain.model import ModelIdentity
from dockyard.domain.observed import Observed, ObservedLocal
from dockyard.domain.record import DeploymentRecord
from dockyard.usecases.workbench import Workbench


def observe_local(bench: Workbench, key: DeploymentKey, spec: RevisionSpec, alias: str | None) -> Observed:
    """Look at everything that a plan for the spec stands on. Changes nothing."""
    model = spec.model
    return Observed(
        local=bench.host.describe_deployment(key),
        image=bench.images.find_image(spec.fingerprint),
        record=find_record(bench, key, model),
        alias_version=bench.registry.find_alias(model.name, alias) if alias and model.name else None,
        taken_at=bench.now(),
    )


def find_record(bench: Workbench, key: DeploymentKey, model: ModelIdentity) -> DeploymentRecord | None:
    """The record of a deployment on a model version: one that waits in the queue is newer than what the registry has."""
    for entry in reversed(bench.queue.list_entries()):
        for tag in entry.tags:
            if tag.key == key.tag and (tag.name, tag.version) == (model.name or model.digest, model.version or ""):
                return tag.record
    return bench.registry.find_record(key, model)


def require_deployment(bench: Workbench, key: DeploymentKey) -> ObservedLocal:
    """Look at a deployment that must be there. Raises NotFoundError `deployment-not-found`."""
    local = bench.host.describe_deployment(key)
    if local.exists:
        return local
    there = ", ".join(f"`{one.name}`" for one in bench.inventory.list_deployments() if one.environment == key.environment)
    raise NotFoundError(
        "deployment-not-found",
        f"there is no deployment `{key.name}` in environment `{key.environment}`",
        hint=f"there are {there}" if there else "`dockyard status` shows what is deployed",
    )


def require_serving(bench: Workbench, key: DeploymentKey) -> tuple[ObservedLocal, Revision]:
    """Look at a deployment and the revision that serves. Raises `deployment-not-found`, `nothing-serving`."""
    local = require_deployment(bench, key)
    revision = local.serving_revision
    if revision is None:
        raise NotFoundError(
            "nothing-serving", f"no revision of {key} serves", hint="`dockyard deploy` completes what was begun"
        )
    return local, revision
