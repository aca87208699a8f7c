"""Owns what an attempt writes to the registry: which tags with which status on which model versions. Pure.

A failed deploy of the model version that already serves leaves its tag alone: the tag says what is, and the old revision
still serves. The attempt itself is told by its history run either way.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

from dockyard.domain.attempt import AliasWrite, Attempt, RegistryEntry, TagWrite
from dockyard.domain.deployment import LocalSettings, Revision, RevisionSpec
from dockyard.domain.image import ImageDigest
from dockyard.domain.k8s import K8sSettings
from dockyard.domain.k8s_steps import ApplyManifests, CheckManifests, SplitTraffic, StartCandidate
from dockyard.domain.model import ModelIdentity
from dockyard.domain.plan import OutcomeStatus, Plan, SetAlias, StartRevision, Step
from dockyard.domain.record import DeploymentRecord, RecordStatus
from dockyard.domain.sagemaker import SageMakerSettings, SageMakerSpec
from dockyard.domain.sagemaker_batch_steps import CreateJobModel
from dockyard.domain.sagemaker_steps import (
    CreateEndpointConfig,
    CreateModel,
    CreateRole,
    CreateShadowConfig,
    RegisterPackage,
    UploadModel,
)

S = TypeVar("S", LocalSettings, SageMakerSettings, K8sSettings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What a record tells beside the attempt itself."""

    spec: RevisionSpec | None
    """The wanted revision; None when the deployment is taken away or its recipe was never known."""
    image: ImageDigest | None
    previous: Revision | None
    """The revision that served before."""
    package: str | None = None
    """ARN of the revision's version in SageMaker Model Registry."""
    claiming: tuple[Revision, ...] = ()
    """The revisions whose records say that they serve; where a command was killed there are more than one."""
    time: str


def describe_entry(attempt: Attempt, status: RecordStatus, recorded: Recorded) -> RegistryEntry:
    """Return the entry for an attempt that ended with `status`."""
    tags: list[TagWrite] = []
    previous = recorded.previous.spec.model if recorded.previous else None
    if attempt.model is not None and (status.is_final or not _is_same(attempt.model, previous)):
        tags += _tag(attempt, attempt.model, _record(attempt, status, recorded))
    for revision in _list_superseded(attempt, recorded) if status.is_final else ():
        tags += _tag(attempt, revision.spec.model, _superseded(attempt, revision, recorded.time))
    registry = attempt.model.registry if attempt.model else None
    return RegistryEntry(attempt=attempt, tags=tuple(tags), registry=registry, alias=_missed_alias(attempt))


def redact_plan(plan: Plan) -> Plan:
    """Return the plan without the values of the model's environment, which may be secrets."""
    return dataclasses.replace(plan, steps=tuple(_redact_step(step) for step in plan.steps))


def _missed_alias(attempt: Attempt) -> AliasWrite | None:
    """The alias that a step of the attempt failed to set."""
    has_failed = any(one.step == "SetAlias" and one.status is OutcomeStatus.FAILED for one in attempt.outcomes)
    steps = attempt.plan.steps if attempt.plan and has_failed else ()
    found = (AliasWrite(name=one.name, alias=one.alias, version=one.version) for one in steps if isinstance(one, SetAlias))
    return next(found, None)


def _redact_step(step: Step) -> Step:
    match step:
        case CheckManifests(spec=k8s) | ApplyManifests(spec=k8s) | StartCandidate(spec=k8s) | SplitTraffic(spec=k8s):
            return dataclasses.replace(step, spec=dataclasses.replace(k8s, settings=_redact(k8s.settings)))
        case StartRevision(spec=local):
            return dataclasses.replace(step, spec=dataclasses.replace(local, settings=_redact(local.settings)))
        case (
            CreateRole(spec=spec)
            | UploadModel(spec=spec)
            | CreateModel(spec=spec)
            | CreateEndpointConfig(spec=spec)
            | RegisterPackage(spec=spec)
            | CreateJobModel(spec=spec)
        ):
            return dataclasses.replace(step, spec=_redact_spec(spec))
        case CreateShadowConfig(production_spec=production, shadow_spec=shadow):
            return dataclasses.replace(step, production_spec=_redact_spec(production), shadow_spec=_redact_spec(shadow))
        case _:
            return step


def _redact_spec(spec: SageMakerSpec) -> SageMakerSpec:
    return dataclasses.replace(spec, settings=_redact(spec.settings))


def _redact(settings: S) -> S:
    return dataclasses.replace(settings, env=tuple((name, "***") for name, _ in settings.env))


def _is_same(one: ModelIdentity | None, other: ModelIdentity | None) -> bool:
    return (
        one is not None
        and other is not None
        and (one.name, one.version, one.digest) == (other.name, other.version, other.digest)
    )


def _tag(attempt: Attempt, model: ModelIdentity, record: DeploymentRecord) -> list[TagWrite]:
    # A folder has neither name nor version; its registry keeps records by digest.
    name, version = model.name or model.digest, model.version or ""
    return [TagWrite(name=name, version=version, key=attempt.key.tag, record=record, registry=model.registry)]


def _record(attempt: Attempt, status: RecordStatus, recorded: Recorded) -> DeploymentRecord:
    serves = status is RecordStatus.SERVING
    return DeploymentRecord(
        status=status,
        revision=attempt.revision,
        image=recorded.image,
        endpoint=attempt.endpoint if serves else None,
        traffic_percent=100 if serves else 0,
        settings_hash=recorded.spec.settings_hash if recorded.spec else "",
        git_revision=attempt.git_revision,
        actor=attempt.actor,
        time=recorded.time,
        attempt_id=attempt.id,
        error_code=attempt.failure.code if attempt.failure else None,
        model_package=recorded.package if serves else None,
    )


def _list_superseded(attempt: Attempt, recorded: Recorded) -> Iterator[Revision]:
    """One revision of each other model version that served before, or claims to."""
    told = [attempt.model]
    for revision in (recorded.previous, *recorded.claiming):
        if revision is not None and not any(_is_same(revision.spec.model, one) for one in told):
            told.append(revision.spec.model)
            yield revision


def _superseded(attempt: Attempt, revision: Revision, time: str) -> DeploymentRecord:
    return DeploymentRecord(
        status=RecordStatus.SUPERSEDED,
        revision=revision.number,
        image=revision.image,
        endpoint=None,
        traffic_percent=0,
        settings_hash=revision.spec.settings_hash,
        git_revision=attempt.git_revision,
        actor=attempt.actor,
        time=time,
        attempt_id=attempt.id,
    )
