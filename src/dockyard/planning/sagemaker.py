"""Owns what it takes to bring a SageMaker deployment to a wanted revision, or to take it away.

Level-based like every planner: an endpoint that is on its way to what is wanted is waited for, one that failed is replaced, and
one that somebody else is changing is left to finish first.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from dockyard.domain.deployment import DeploymentKey
from dockyard.domain.errors import ConflictError
from dockyard.domain.observed import Observed
from dockyard.domain.plan import BuildImage, Plan, SmokeTest, Step, WriteRecord
from dockyard.domain.record import RecordStatus
from dockyard.domain.sagemaker import (
    Endpoint,
    EndpointStatus,
    ModelDelivery,
    ObservedSageMaker,
    RolloutKind,
    SageMakerPolicy,
    SageMakerRevision,
    SageMakerSpec,
    derive_endpoint_name,
    derive_repository_name,
    derive_revision_name,
    derive_role_name,
)
from dockyard.domain.sagemaker_shadow import choose_rollout, derive_shadow_name
from dockyard.domain.sagemaker_steps import (
    CreateEndpoint,
    CreateEndpointConfig,
    CreateModel,
    CreateRepository,
    CreateRole,
    CreateShadowConfig,
    DeleteEndpoint,
    DeleteRevision,
    DeleteShadowConfig,
    DeleteSupplies,
    MarkServed,
    PushImage,
    PutAlarms,
    PutScaling,
    ReplaceEndpoint,
    UpdateEndpoint,
    UploadModel,
    WaitInService,
    WaitSettled,
)
from dockyard.planning import sagemaker_component as components
from dockyard.planning.difference import diff_deployment
from dockyard.planning.revisions import (
    Wanted,
    is_recorded,
    is_recorded_as_begun,
    is_recorded_as_shadow,
    list_superfluous,
    promote,
)
from dockyard.planning.sagemaker_package import is_package_recorded, register_package

_DELETE_SECONDS = 1800
_SHADOW_NOTE = (
    "revision {number} gets copies of {percent} % of the requests, and revision {serving} answers them: the same command with "
    "`--rollout all-at-once` gives it the traffic"
)
_ON_THE_WAY = frozenset(
    {EndpointStatus.CREATING, EndpointStatus.UPDATING, EndpointStatus.SYSTEM_UPDATING, EndpointStatus.IN_SERVICE}
)
"""Statuses that lead to the endpoint's configuration by themselves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedSageMaker(Wanted):
    """The state that a SageMaker deployment shall have."""

    spec: SageMakerSpec
    policy: SageMakerPolicy = field(default_factory=SageMakerPolicy)
    keeps_shadow: bool = False
    """Whether a revision in the shadow of the wanted one is as it should be; otherwise the wanted one is to be alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Aim:
    """What is wanted, by its names."""

    wanted: WantedSageMaker
    seen: ObservedSageMaker
    endpoint: str
    name: str
    number: int
    revision: SageMakerRevision | None

    @property
    def hosted(self) -> components.HostedAim | None:
        """The same where the revision is to be an inference component."""
        if self.wanted.spec.settings.component is None:
            return None
        spec, policy = self.wanted.spec, self.wanted.policy
        return components.HostedAim(
            seen=self.seen, spec=spec, policy=policy, endpoint=self.endpoint, model=self.name, number=self.number
        )


def plan_sagemaker(key: DeploymentKey, wanted: WantedSageMaker, observed: Observed[ObservedSageMaker]) -> Plan:
    """Plan the way from what is observed to what is wanted; an empty plan where nothing differs.

    Raises ConflictError `endpoint-not-ours` for an endpoint of that name that is not this deployment's, and
    `endpoint-kind-differs` for one with a component where none is wanted, or the other way round.
    """
    aim = _take_aim(key, wanted, observed.deployment)
    _refuse_others(key, aim.seen)
    components.refuse_other_kind(aim.seen, wanted.spec)
    shadowed = _find_shadowed(aim)
    if shadowed is not None:
        return _plan_shadow(aim, shadowed, observed)
    steps: list[Step] = []
    if not _serves(aim):
        steps += _prepare(aim, has_image=observed.image is not None)
        steps += _bring(aim)
    if wanted.policy.wait or _serves(aim):
        steps += _settle(aim, observed)
        is_told = is_recorded(observed, wanted, number=aim.number, endpoint=aim.endpoint)
        is_told = is_told and is_package_recorded(observed.record, aim.revision)
        status = RecordStatus.SERVING
    else:
        is_told = is_recorded_as_begun(observed, wanted, number=aim.number)
        status = RecordStatus.DEPLOYING
    if steps or not is_told:
        steps.append(WriteRecord(key=key, status=status, number=aim.number))
    return Plan(
        key=key,
        steps=tuple(steps),
        changes=diff_deployment(aim.seen, wanted.spec, number=aim.number, endpoint=aim.endpoint),
        observed_at=observed.taken_at,
        revision=aim.number,
        previous=aim.seen.serving,
        endpoint=aim.endpoint,
    )


def plan_delete_sagemaker(seen: ObservedSageMaker, *, recorded: int | None, taken_at: str) -> Plan:
    """Plan to take a deployment away: its endpoint, then all that only it needs.

    `recorded` is the revision that serves or that a record says serves. That it is deleted is recorded as soon as the endpoint
    is gone: a command that is killed later leaves things that `gc` finds, and no record that is wrong.
    """
    name = derive_endpoint_name(seen.key.environment, seen.key.name)
    steps: list[Step] = []
    if seen.endpoint is not None:
        _refuse_others(seen.key, seen)
        steps += components.delete_component(seen, _DELETE_SECONDS)
        steps.append(DeleteEndpoint(endpoint=name, timeout_seconds=_DELETE_SECONDS))
    if recorded is not None:
        steps.append(WriteRecord(key=seen.key, status=RecordStatus.DELETED, number=recorded))
    steps += [DeleteShadowConfig(name=one) for one in seen.shadow_configs]
    steps += components.clean_up_hosts(seen, kept=None)
    steps += [DeleteRevision(number=one.number, name=one.name, reason="the deployment is deleted") for one in seen.revisions]
    repository = derive_repository_name(name) if seen.repository else None
    role = derive_role_name(name) if seen.has_own_role else None
    if repository or role or seen.alarms:
        steps.append(DeleteSupplies(endpoint=name, repository=repository, role=role, has_alarms=seen.alarms is not None))
    return Plan(
        key=seen.key,
        steps=tuple(steps),
        changes=diff_deployment(seen, None, number=None, endpoint=None),
        observed_at=taken_at,
        revision=None,
        previous=seen.serving,
        endpoint=name,
    )


def clean_up_sagemaker(seen: ObservedSageMaker, *, serving: int | None, history_limit: int) -> Iterator[DeleteRevision]:
    """Steps for the revisions that are not to be kept when the endpoint has come to the one that is to serve."""
    names = {one.number: one.name for one in seen.revisions}
    for one, reason in list_superfluous(seen, serving=serving, history_limit=history_limit):
        yield DeleteRevision(number=one.number, name=names[one.number], reason=reason)


def clean_up_idle(seen: ObservedSageMaker) -> Iterator[DeleteRevision]:
    """Steps for the revisions that never served and that the endpoint neither is at nor is moving to."""
    for step in clean_up_sagemaker(seen, serving=seen.serving, history_limit=len(seen.revisions) + 1):
        if seen.endpoint is None or not seen.endpoint.uses(step.name):
            yield step


def _take_aim(key: DeploymentKey, wanted: WantedSageMaker, seen: ObservedSageMaker) -> _Aim:
    endpoint = derive_endpoint_name(key.environment, key.name)
    name = derive_revision_name(endpoint, wanted.spec.spec_hash)
    revision = seen.find_named(name)
    number = revision.number if revision else seen.next_number
    return _Aim(wanted=wanted, seen=seen, endpoint=endpoint, name=name, number=number, revision=revision)


def _refuse_others(key: DeploymentKey, seen: ObservedSageMaker) -> None:
    if seen.endpoint is None or seen.endpoint.owner == str(key):
        return
    whose = f"belongs to deployment {seen.endpoint.owner}" if seen.endpoint.owner else "was not made by Dockyard"
    raise ConflictError(
        "endpoint-not-ours",
        f"endpoint {seen.endpoint.name} {whose}",
        hint="choose another name for this deployment with `--name`, or delete that endpoint",
    )


def _find_shadowed(aim: _Aim) -> SageMakerRevision | None:
    """The revision in whose shadow the wanted one is to be; None where it is to serve, or nothing serves yet."""
    serving = aim.seen.serving_revision
    if aim.wanted.policy.rollout.kind is not RolloutKind.SHADOW or serving is None or serving.name == aim.name:
        return None
    return None if aim.seen.endpoint is None or _has_to_go(aim.seen.endpoint) else serving


def _plan_shadow(aim: _Aim, shadowed: SageMakerRevision, observed: Observed[ObservedSageMaker]) -> Plan:
    """Plan to have the wanted revision get copies of the requests of the one that serves."""
    wanted, seen, rollout = aim.wanted, aim.seen, aim.wanted.policy.rollout
    name = derive_shadow_name(aim.endpoint, shadowed.name, aim.name, rollout.shadow_percent)
    has_arrived = seen.endpoint is not None and (seen.endpoint.status, seen.endpoint.config) == (
        EndpointStatus.IN_SERVICE,
        name,
    )
    steps: list[Step] = []
    if not has_arrived:
        steps += _prepare(aim, has_image=observed.image is not None)
        if name not in seen.shadow_configs:
            steps.append(
                CreateShadowConfig(
                    name=name,
                    production=shadowed.name,
                    production_spec=shadowed.spec,
                    shadow=aim.name,
                    shadow_spec=wanted.spec,
                    percent=rollout.shadow_percent,
                )
            )
        steps += _bring(aim, config=name)
    if wanted.policy.wait or has_arrived:
        steps += _clean_up_shadows(seen, kept=name)
        for step in clean_up_sagemaker(seen, serving=shadowed.number, history_limit=wanted.history_limit):
            if step.name != aim.name:
                steps.append(step)
        status, is_told = RecordStatus.SHADOW, is_recorded_as_shadow(observed, wanted, number=aim.number)
    else:
        status, is_told = RecordStatus.DEPLOYING, is_recorded_as_begun(observed, wanted, number=aim.number)
    if steps or not is_told:
        steps.append(WriteRecord(key=seen.key, status=status, number=aim.number))
    return Plan(
        key=seen.key,
        steps=tuple(steps),
        changes=diff_deployment(seen, wanted.spec, number=aim.number, endpoint=aim.endpoint) if not has_arrived else (),
        observed_at=observed.taken_at,
        revision=aim.number,
        previous=shadowed.number,
        endpoint=aim.endpoint,
        notes=(_SHADOW_NOTE.format(number=aim.number, percent=rollout.shadow_percent, serving=shadowed.number),),
    )


def _clean_up_shadows(seen: ObservedSageMaker, *, kept: str | None) -> Iterator[DeleteShadowConfig]:
    """Configurations of shadows that are over."""
    for name in seen.shadow_configs:
        if name != kept:
            yield DeleteShadowConfig(name=name)


def _serves(aim: _Aim) -> bool:
    endpoint = aim.seen.endpoint
    if aim.hosted is not None:
        return aim.revision is not None and aim.revision.has_served and components.serves_component(aim.hosted)
    return (
        endpoint is not None
        and endpoint.status is EndpointStatus.IN_SERVICE
        and (endpoint.config == aim.name or (aim.wanted.keeps_shadow and endpoint.production == aim.name))
        and aim.revision is not None
        and aim.revision.has_served
    )


def _has_to_go(endpoint: Endpoint) -> bool:
    """Whether an endpoint takes no update any more, and another one is to be created in its place."""
    return endpoint.status in {EndpointStatus.DELETING, EndpointStatus.FAILED}


def _is_under_way(aim: _Aim, config: str) -> bool:
    """Whether the endpoint is at, or on its way to, what is wanted."""
    endpoint = aim.seen.endpoint
    if endpoint is None or endpoint.status not in _ON_THE_WAY:
        return False
    return endpoint.pending_config == config or (endpoint.pending_config is None and endpoint.config == config)


def _prepare(aim: _Aim, *, has_image: bool) -> Iterator[Step]:
    """Make what the revision is made of, as far as it is not there."""
    spec, policy, hosted = aim.wanted.spec, aim.wanted.policy, aim.hosted
    yield from _supply(aim)
    # The configuration is made last and deleted first: without it, parts of what the model stands for may be missing.
    has_config = aim.revision is not None and (aim.revision.has_config or hosted is not None)
    is_whole = aim.revision is not None and aim.revision.has_model and has_config
    if not is_whole or aim.seen.repository is None:
        if not has_image:
            yield BuildImage(fingerprint=spec.fingerprint, builder=aim.wanted.builder, reason=aim.wanted.builder_reason)
        yield PushImage(fingerprint=spec.fingerprint, repository=derive_repository_name(aim.endpoint))
    if not is_whole:
        if spec.settings.delivery is not ModelDelivery.IMAGE:
            yield UploadModel(name=aim.name, spec=spec)
        yield CreateModel(number=aim.number, name=aim.name, spec=spec)
    if hosted is not None:
        yield from components.prepare_host(hosted)
    elif not has_config:
        yield CreateEndpointConfig(number=aim.number, name=aim.name, spec=spec)
    if policy.alarms != aim.seen.alarms:
        yield _put_alarms(aim)


def _put_alarms(aim: _Aim) -> PutAlarms:
    policy, previous = aim.wanted.policy.alarms, aim.seen.alarms
    return PutAlarms(endpoint=aim.endpoint, policy=policy, previous=previous, of_component=aim.hosted is not None)


def _supply(aim: _Aim) -> Iterator[Step]:
    """Make what all revisions need, as far as somebody has not made it or has deleted it since."""
    if aim.seen.repository is None:
        yield CreateRepository(name=derive_repository_name(aim.endpoint))
    role = derive_role_name(aim.endpoint)
    is_own = aim.wanted.spec.settings.role.endswith(f"/{role}")
    if is_own and not aim.seen.has_own_role:
        yield CreateRole(name=role, spec=aim.wanted.spec)


def _bring(aim: _Aim, *, config: str | None = None) -> Iterator[Step]:
    """Have the endpoint go to the revision, or to a configuration that has the revision in a shadow."""
    yield from components.bring_component(aim.hosted) if aim.hosted else _bring_endpoint(aim, config)
    if aim.wanted.policy.wait and config is None:  # nobody can ask what is in a shadow; it has proved itself already
        yield SmokeTest(number=aim.number, fingerprint=aim.wanted.spec.fingerprint, requests=aim.wanted.smoke_requests)


def _bring_endpoint(aim: _Aim, config: str | None) -> Iterator[Step]:
    target = config or aim.name
    endpoint, policy = aim.seen.endpoint, aim.wanted.policy
    wait = policy.timeout_seconds
    if endpoint is None or _has_to_go(endpoint):
        if endpoint is not None and endpoint.status.is_moving:
            yield WaitSettled(endpoint=aim.endpoint, status=endpoint.status.value, timeout_seconds=wait)
        elif endpoint is not None:
            yield ReplaceEndpoint(endpoint=aim.endpoint, timeout_seconds=wait)
        yield CreateEndpoint(endpoint=aim.endpoint, config=aim.name, number=aim.number)
    elif not _is_under_way(aim, target):
        if endpoint.status.is_moving:
            yield WaitSettled(endpoint=aim.endpoint, status=endpoint.status.value, timeout_seconds=wait)
        yield UpdateEndpoint(
            endpoint=aim.endpoint,
            config=target,
            number=aim.number,
            previous_config=endpoint.config,
            rollout=choose_rollout(policy.rollout, in_shadow=config is not None),
            alarms=policy.alarms,
            keeps_counts=aim.seen.scaling is not None or policy.scaling is not None,
        )
    if policy.wait:
        yield WaitInService(
            endpoint=aim.endpoint, config=target, number=aim.number, timeout_seconds=wait, in_shadow=config is not None
        )


def _settle(aim: _Aim, observed: Observed[ObservedSageMaker]) -> Iterator[Step]:
    """What follows when the revision serves."""
    wanted = aim.wanted
    if _serves(aim) and wanted.policy.alarms != aim.seen.alarms:
        yield _put_alarms(aim)
    if aim.revision is None or not aim.revision.has_served:
        yield MarkServed(number=aim.number, name=aim.name, on_model=aim.hosted is not None)
    there = aim.revision.package if aim.revision else None
    yield from register_package(wanted.policy.package, there, spec=wanted.spec, name=aim.name, number=aim.number)
    if wanted.policy.scaling != (aim.seen.scaling if _keeps_scaling(aim) else None):
        yield PutScaling(endpoint=aim.endpoint, scaling=wanted.policy.scaling, of_component=aim.hosted is not None)
    yield from components.clean_up_hosts(aim.seen, kept=aim.hosted.config if aim.hosted else None)
    used = aim.seen.endpoint.used if aim.seen.endpoint and wanted.keeps_shadow else frozenset[str]()
    yield from _clean_up_shadows(aim.seen, kept=aim.seen.endpoint.config if aim.seen.endpoint and used else None)
    for step in clean_up_sagemaker(aim.seen, serving=aim.number, history_limit=wanted.history_limit):
        if step.name not in used:
            yield step
    yield from promote(wanted, observed)


def _keeps_scaling(aim: _Aim) -> bool:
    """An endpoint takes its scaling away with it, and so does a component."""
    if aim.hosted is not None:
        return components.keeps_component(aim.hosted)
    return aim.seen.endpoint is not None and not _has_to_go(aim.seen.endpoint)
