"""Owns what an environment may say about how a new revision comes on Kubernetes, and its meaning in the domain's words."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError
from typing_extensions import Self

from dockyard.adapters.config_section import Section, Text
from dockyard.domain.k8s_rollout import Gate, K8sRollout, K8sRolloutKind

_ROLLOUT = K8sRollout()
_GATE = _ROLLOUT.gate
Percent = Annotated[int, Field(ge=1, le=100)]


class GateSection(Section):
    """What a candidate must not do while it gets requests; what does takes the rollout back."""

    error_percent: Annotated[float, Field(ge=0, le=100)] | None = _GATE.error_percent
    """How many more of a hundred answers than the stable revision's may have a 5xx status; null: any."""
    latency_ms: Annotated[int, Field(ge=1)] | None = _GATE.latency_ms
    """The most that the slowest answer in a hundred (p99) may take."""
    slower_percent: Annotated[float, Field(ge=0)] | None = _GATE.slower_percent
    """By how much its answers may take longer than the stable revision's, in the mean."""
    min_requests: Annotated[int, Field(ge=1)] = _GATE.min_requests
    """With fewer answers its metrics are not judged."""
    prometheus: Text | None = None
    """The URL of a Prometheus that is asked `alerts`."""
    alerts: list[Text] = []
    """PromQL as in alerting rules: what has a result is a breach. `$namespace`, `$stable` and `$candidate` are filled in."""

    @model_validator(mode="after")
    def _go_together(self) -> Self:
        if bool(self.alerts) != bool(self.prometheus):
            raise PydanticCustomError("gate", "has one of `prometheus` and `alerts`; they go together")
        return self


class K8sRolloutSection(Section):
    """How a new revision comes."""

    kind: K8sRolloutKind = _ROLLOUT.kind
    """`rolling` (pods replaced one at a time), `blue-green` (a candidate gets all requests at once), `canary` (share by
    share), or `shadow` (none: the candidate gets copies of requests, for `wait_seconds`)."""
    steps: Annotated[list[Percent], Field(min_length=1)] = list(_ROLLOUT.steps)
    """The shares of `canary`, ascending."""
    wait_seconds: Annotated[int, Field(ge=0)] = _ROLLOUT.wait_seconds
    """How long `gate` is watched after each share."""
    shadow_percent: Percent = _ROLLOUT.shadow_percent
    """How many of a hundred requests `shadow` copies."""
    pause: bool = False
    """Whether it stands still at the first share, `blue-green` before it, until `promote` or `rollback`."""
    gate: GateSection = GateSection()
    """What a candidate must not do while it gets requests."""

    @model_validator(mode="after")
    def _ascend(self) -> Self:
        if self.steps != sorted(set(self.steps)):
            raise PydanticCustomError("steps", "has `steps` that do not ascend")
        return self


def make_rollout(section: K8sRolloutSection) -> K8sRollout:
    """Return what a section says, in the domain's words."""
    values = section.model_dump()
    gate = Gate(**{**values["gate"], "alerts": tuple(values["gate"]["alerts"])})
    return K8sRollout(**{**values, "steps": tuple(values["steps"]), "gate": gate})
