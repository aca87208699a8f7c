"""Owns what it takes to run a batch transform job: a model that is there for it, the job, and nothing left afterwards.

Level-based like every planner: the same job that runs already is waited for.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from dockyard.domain.deployment import DeploymentKey
from dockyard.domain.image import BuilderKind
from dockyard.domain.plan import BuildImage, Change, Plan, Step
from dockyard.domain.sagemaker import (
    ModelDelivery,
    SageMakerSpec,
    derive_endpoint_name,
    derive_repository_name,
    derive_revision_name,
    derive_role_name,
)
from dockyard.domain.sagemaker_batch import (
    BatchSettings,
    ObservedBatch,
    TransformJob,
    derive_job_model_name,
    derive_job_stem,
    read_job_number,
)
from dockyard.domain.sagemaker_batch_steps import CleanUpJobs, CreateJobModel, GrantJobAccess, StartTransform, WaitTransform
from dockyard.domain.sagemaker_steps import CreateRepository, CreateRole, PushImage, UploadModel

_UNWATCHED = "nobody waits for the job: the same command again does, and `dockyard gc` takes its model away when it is over"


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedBatch:
    """A job that is asked for."""

    spec: SageMakerSpec
    """Of the model, as a deployment would have it."""
    builder: BuilderKind
    builder_reason: str
    input: str
    output: str
    settings: BatchSettings
    waits: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class _Aim:
    """What is wanted, by its names."""

    wanted: WantedBatch
    seen: ObservedBatch
    endpoint: str
    own_model: str | None
    """The model that is made for jobs; None where a deployment has the same one."""
    own_role: str | None
    job: TransformJob
    runs: bool
    """Whether the job is there, and not over."""


def plan_batch(key: DeploymentKey, wanted: WantedBatch, seen: ObservedBatch) -> Plan:
    """Plan a job; an empty plan where it runs and nobody wants to wait for it."""
    aim = _take_aim(key, wanted, seen)
    steps: list[Step] = [*_clean_up_idle(aim)]
    if not aim.runs:
        steps += [*_prepare(aim), StartTransform(job=aim.job)]
    if wanted.waits:
        steps.append(WaitTransform(name=aim.job.name, timeout_seconds=wanted.settings.timeout_seconds))
        if aim.own_model or aim.own_role:
            steps.append(CleanUpJobs(model=aim.own_model, role=aim.own_role))
    changes = (Change(what="transform job", before=None, after=aim.job.name),) if not aim.runs else ()
    return Plan(
        key=key,
        steps=tuple(steps),
        changes=changes,
        observed_at=seen.taken_at,
        revision=None,
        previous=None,
        endpoint=None,
        notes=() if wanted.waits else (_UNWATCHED,),
    )


def name_job(key: DeploymentKey, wanted: WantedBatch, seen: ObservedBatch) -> str:
    """Return the name of the job that a plan is about."""
    return _take_aim(key, wanted, seen).job.name


def derive_wanted_stem(key: DeploymentKey, wanted: WantedBatch) -> str:
    """Return what the names of all jobs that do what is wanted begin with."""
    endpoint = derive_endpoint_name(key.environment, key.name)
    return derive_job_stem(endpoint, (wanted.spec.spec_hash, wanted.input, wanted.output), wanted.settings)


def _take_aim(key: DeploymentKey, wanted: WantedBatch, seen: ObservedBatch) -> _Aim:
    endpoint = derive_endpoint_name(key.environment, key.name)
    stem = derive_wanted_stem(key, wanted)
    numbers = {number: one for one in seen.jobs if (number := read_job_number(stem, one.name)) is not None}
    last = max(numbers, default=0)
    runs = last > 0 and not numbers[last].status.is_over
    deployed = seen.deployment.find_named(derive_revision_name(endpoint, wanted.spec.spec_hash))
    own = None if deployed and deployed.has_model else derive_job_model_name(endpoint, wanted.spec.spec_hash)
    role = derive_role_name(endpoint)
    job = TransformJob(
        name=f"{stem}-{last if runs else last + 1}",
        model=own or (deployed.name if deployed else ""),
        input=wanted.input,
        output=wanted.output,
        settings=wanted.settings,
        kms_key=wanted.spec.settings.kms_key,
        tags=wanted.spec.settings.tags,
    )
    return _Aim(
        wanted=wanted,
        seen=seen,
        endpoint=endpoint,
        own_model=own,
        own_role=role if wanted.spec.settings.role.endswith(f"/{role}") else None,
        job=job,
        runs=runs,
    )


def _clean_up_idle(aim: _Aim) -> Iterator[Step]:
    """Take away what jobs have left that were killed: nobody is on the way to a job while this is planned."""
    yield from (
        CleanUpJobs(model=one.name, role=None) for one in aim.seen.models if not one.is_needed and one.name != aim.own_model
    )


def _prepare(aim: _Aim) -> Iterator[Step]:
    """Make what the job needs, as far as it is not there."""
    spec, deployment = aim.wanted.spec, aim.seen.deployment
    has_model = any(one.name == aim.own_model for one in aim.seen.models)
    if aim.own_model is not None and not has_model and deployment.repository is None:
        yield CreateRepository(name=derive_repository_name(aim.endpoint))
    if aim.own_role is not None:
        if not deployment.has_own_role:
            yield CreateRole(name=aim.own_role, spec=spec)
        yield GrantJobAccess(role=aim.own_role, job=aim.job)
    if aim.own_model is None or has_model:
        return
    if aim.seen.image is None:
        yield BuildImage(fingerprint=spec.fingerprint, builder=aim.wanted.builder, reason=aim.wanted.builder_reason)
    yield PushImage(fingerprint=spec.fingerprint, repository=derive_repository_name(aim.endpoint))
    if spec.settings.delivery is not ModelDelivery.IMAGE:
        yield UploadModel(name=aim.own_model, spec=spec)
    yield CreateJobModel(name=aim.own_model, spec=spec)
