"""Owns the first verb, observe: one snapshot of the target, the image store and the registry."""

from __future__ import annotations

from contextlib import suppress
from typing import TypeVar

from dockyard.domain.deployment import DeploymentKey, Revision, RevisionSpec, Target
from dockyard.domain.errors import DockyardError, NotFoundError
from dockyard.domain.model import ModelIdentity
from dockyard.domain.observed import Observed, ObservedDeployment
from dockyard.domain.record import DeploymentRecord
from dockyard.usecases.workbench import Workbench

D = TypeVar("D", bound=ObservedDeployment)
R = TypeVar("R", bound=Revision)
_LOOK_ELSEWHERE = {
    Target.K8S: "; `--namespace` and `--context` look in another place",
    Target.SAGEMAKER: "; `--region` looks in another region",
}


def observe(bench: Workbench, seen: D, spec: RevisionSpec, alias: str | None) -> Observed[D]:
    """Look at everything else that a plan for the spec stands on. Changes nothing."""
    model = spec.model
    return Observed(
        deployment=seen,
        image=bench.images.find_image(spec.fingerprint),
        record=find_record(bench, seen.key, model),
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


def list_recorded(bench: Workbench, seen: ObservedDeployment) -> tuple[Revision, ...]:
    """The revisions whose records say that they serve, or are about to: where a command was killed, that need not be so.

    A record of a revision that is gone counts for those of its model version. A registry that does not answer has no record.
    """
    try:
        records = [(one, find_record(bench, seen.key, one.spec.model)) for one in seen.all_revisions]
    except DockyardError:
        return ()
    there = {one.number for one in seen.all_revisions}
    claims = ((one, record.revision) for one, record in records if record and record.is_claim)
    return tuple(one for one, number in claims if number == one.number or number not in there)


def find_recorded(bench: Workbench, seen: ObservedDeployment) -> Revision | None:
    """The newest of these revisions; where there is none, because the registry is away or says otherwise, nothing."""
    return max(list_recorded(bench, seen), key=lambda one: one.number, default=None)


def require_deployment(bench: Workbench, key: DeploymentKey) -> ObservedDeployment:
    """Look at a deployment that must be there. Raises NotFoundError `deployment-not-found`."""
    return require_there(bench, bench.sites.find(key.environment).describe(key))


def require_there(bench: Workbench, seen: D) -> D:
    """Return what was seen, which must be there. Raises NotFoundError `deployment-not-found`."""
    if seen.exists:
        return seen
    raise NotFoundError(
        "deployment-not-found",
        f"there is no deployment `{seen.key.name}` in environment `{seen.key.environment}`",
        hint=_tell_what_is_there(bench, seen.key),
    )


def _tell_what_is_there(bench: Workbench, key: DeploymentKey) -> str:
    """Whoever leaves the environment out means another one more often than another deployment."""
    there = _list_there(bench)
    namesakes = ", ".join(f"`{one}`" for one in there if one.name == key.name)
    beside = ", ".join(f"`{one.name}`" for one in there if one.environment == key.environment)
    if namesakes:
        return f"there is {namesakes}"
    elsewhere = _LOOK_ELSEWHERE.get(key.target, "")
    return f"there are {beside}" if beside else f"`dockyard status` shows what is deployed{elsewhere}"


def _list_there(bench: Workbench) -> tuple[DeploymentKey, ...]:
    """All deployments that can be seen: what does not answer now has none."""
    found: list[DeploymentKey] = []
    for site in bench.sites.list():
        with suppress(DockyardError):
            found += site.list_deployments()
    return tuple(found)


def require_found(key: DeploymentKey, number: int, revision: R | None) -> R:
    """The revision that was looked for by its number. Raises NotFoundError `no-revision` where there was none."""
    if revision is None:
        raise NotFoundError("no-revision", f"{key} has no revision {number}")
    return revision


def require_serving(bench: Workbench, key: DeploymentKey) -> tuple[ObservedDeployment, Revision]:
    """Look at a deployment and the revision that serves. Raises `deployment-not-found`, `nothing-serving`."""
    seen = require_deployment(bench, key)
    revision = seen.serving_revision
    if revision is None:
        raise NotFoundError(
            "nothing-serving", f"no revision of {key} serves", hint="`dockyard deploy` completes what was begun"
        )
    return seen, revision
