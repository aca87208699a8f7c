"""Owns what it takes to bring an inference component to a revision: its endpoint's instances first, then the copies on them.

What a component is on its way to, the service does not show: one that is being updated is waited for, and then looked at anew.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from dockyard.domain.errors import ConflictError
from dockyard.domain.plan import Step
from dockyard.domain.sagemaker import (
    EndpointStatus,
    ObservedSageMaker,
    SageMakerPolicy,
    SageMakerSpec,
)
from dockyard.domain.sagemaker_component import ComponentStatus, InferenceComponent
from dockyard.domain.sagemaker_component_steps import (
    CreateComponent,
    CreateHostConfig,
    DeleteComponent,
    DeleteHostConfig,
    UpdateComponent,
    WaitComponent,
    WaitComponentSettled,
)
from dockyard.domain.sagemaker_host import Host, HostEndpoint, derive_host_name, make_host
from dockyard.domain.sagemaker_steps import CreateEndpoint, ReplaceEndpoint, UpdateEndpoint, WaitInService, WaitSettled

_HAS_TO_GO = frozenset({EndpointStatus.DELETING, EndpointStatus.FAILED})
_IS_OVER = frozenset({ComponentStatus.DELETING, ComponentStatus.FAILED})


@dataclass(frozen=True, slots=True, kw_only=True)
class HostedAim:
    """What is wanted of a deployment with a component, by its names."""

    seen: ObservedSageMaker
    spec: SageMakerSpec
    policy: SageMakerPolicy
    endpoint: str
    model: str
    number: int

    @property
    def host(self) -> Host:
        """The instances that it is to run on."""
        return make_host(self.spec.settings, self.policy)

    @property
    def config(self) -> str:
        """Name of the configuration that has them."""
        return derive_host_name(self.endpoint, self.host)

    @property
    def there(self) -> HostEndpoint | None:
        """The endpoint that hosts, unless it takes no change any more."""
        endpoint = self.seen.endpoint
        return endpoint if isinstance(endpoint, HostEndpoint) and endpoint.status not in _HAS_TO_GO else None

    @property
    def component(self) -> InferenceComponent | None:
        """The component on it."""
        return self.there.component if self.there else None


def refuse_other_kind(seen: ObservedSageMaker, spec: SageMakerSpec) -> None:
    """Raise ConflictError for an endpoint that is to host a component and has a model of its own, or the other way round."""
    endpoint = seen.endpoint
    wants = spec.settings.component is not None
    if endpoint is None or endpoint.status in _HAS_TO_GO or isinstance(endpoint, HostEndpoint) == wants:
        return
    what = "has a model of its own, and takes no `component`" if wants else "hosts an inference component"
    raise ConflictError(
        "endpoint-kind-differs",
        f"endpoint {endpoint.name} {what}",
        hint="give the deployment another name with `--name`, or delete it first: the service does not turn one into the other",
    )


def serves_component(aim: HostedAim) -> bool:
    """Whether the component rests at the revision, on the instances that are wanted."""
    there, component = aim.there, aim.component
    return (
        there is not None
        and component is not None
        and (there.status, there.config) == (EndpointStatus.IN_SERVICE, aim.config)
        and (component.status, component.model) == (ComponentStatus.IN_SERVICE, aim.model)
    )


def keeps_component(aim: HostedAim) -> bool:
    """Whether the component that is there stays, and its scaling with it."""
    return aim.component is not None and aim.component.status not in _IS_OVER


def prepare_host(aim: HostedAim) -> Iterator[Step]:
    """Make the endpoint's configuration, where it is not there."""
    if aim.config not in aim.seen.host_configs:
        yield CreateHostConfig(name=aim.config, host=aim.host)


def bring_component(aim: HostedAim) -> Iterator[Step]:
    """Have the endpoint get its instances, and the component go to the revision."""
    wait = aim.policy.timeout_seconds
    yield from _bring_host(aim, wait)
    yield from _bring_copies(aim, wait)
    if aim.policy.wait:
        yield WaitComponent(endpoint=aim.endpoint, model=aim.model, number=aim.number, timeout_seconds=wait)


def clean_up_hosts(seen: ObservedSageMaker, *, kept: str | None) -> Iterator[DeleteHostConfig]:
    """Configurations of instances that are no longer wanted."""
    for name in seen.host_configs:
        if name != kept:
            yield DeleteHostConfig(name=name)


def delete_component(seen: ObservedSageMaker, timeout_seconds: int) -> Iterator[DeleteComponent]:
    """The component goes before its endpoint, which the service does not delete otherwise; its scaling goes with it."""
    if isinstance(seen.endpoint, HostEndpoint):
        yield DeleteComponent(endpoint=seen.endpoint.name, timeout_seconds=timeout_seconds)


def _bring_host(aim: HostedAim, wait: int) -> Iterator[Step]:
    there = aim.there
    if there is None:
        yield from _make_way(aim, wait)
        yield CreateEndpoint(endpoint=aim.endpoint, config=aim.config, number=aim.number, is_host=True)
    elif _is_under_way(there, aim.config):
        if there.status is EndpointStatus.IN_SERVICE:
            return
    else:
        if there.status.is_moving:
            yield WaitSettled(endpoint=aim.endpoint, status=there.status.value, timeout_seconds=wait)
        yield UpdateEndpoint(
            endpoint=aim.endpoint,
            config=aim.config,
            number=aim.number,
            previous_config=there.config,
            rollout=aim.policy.rollout,
            alarms=None,
            keeps_counts=False,
            is_host=True,
        )
    # It is waited for in any case: the service puts copies on an endpoint in service only.
    yield WaitInService(endpoint=aim.endpoint, config=aim.config, number=aim.number, timeout_seconds=wait, is_host=True)


def _is_under_way(there: HostEndpoint, config: str) -> bool:
    rests = there.status in {EndpointStatus.IN_SERVICE, EndpointStatus.SYSTEM_UPDATING} and there.config == config
    return rests or there.target_config == config


def _make_way(aim: HostedAim, wait: int) -> Iterator[Step]:
    """An endpoint that takes no change any more has to go."""
    endpoint = aim.seen.endpoint
    if endpoint is None:
        return
    if endpoint.status.is_moving:
        yield WaitSettled(endpoint=aim.endpoint, status=endpoint.status.value, timeout_seconds=wait)
        return
    yield from delete_component(aim.seen, wait)
    yield ReplaceEndpoint(endpoint=aim.endpoint, timeout_seconds=wait)


def _bring_copies(aim: HostedAim, wait: int) -> Iterator[Step]:
    component = aim.component
    if component is None or component.status in _IS_OVER:
        if component is not None:
            yield DeleteComponent(endpoint=aim.endpoint, timeout_seconds=wait)
        yield CreateComponent(endpoint=aim.endpoint, model=aim.model, number=aim.number, spec=aim.spec)
        return
    if component.model == aim.model and component.status is not ComponentStatus.UPDATING:
        return
    if component.status.is_moving:
        yield WaitComponentSettled(endpoint=aim.endpoint, status=component.status.value, timeout_seconds=wait)
    yield UpdateComponent(
        endpoint=aim.endpoint,
        model=aim.model,
        number=aim.number,
        spec=aim.spec,
        previous=component.model,
        previous_spec=_find_spec(aim, component.model),
        copies=_count_copies(aim, component),
        rollout=aim.policy.rollout,
        alarms=aim.policy.alarms,
    )


def _find_spec(aim: HostedAim, name: str) -> SageMakerSpec:
    """The spec of what serves; where somebody else brought it in, what a copy is given is not known."""
    revision = aim.seen.find_named(name)
    return revision.spec if revision and revision.spec.settings.component else aim.spec


def _count_copies(aim: HostedAim, component: InferenceComponent) -> int:
    """What autoscaling has chosen stays, but one copy has to prove the revision."""
    wanted = aim.spec.settings.component
    if aim.policy.scaling is None and aim.seen.scaling is None and wanted is not None:
        return wanted.copies
    return max(component.copies, 1)
