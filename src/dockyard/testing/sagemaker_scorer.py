"""Owns the fakes around an in-memory account: who asks its endpoints, and what is known before anything is made."""

from __future__ import annotations

from dataclasses import dataclass, field

from dockyard.domain.deployment import DeploymentKey
from dockyard.domain.errors import DockyardError, UnavailableError
from dockyard.domain.finding import Finding
from dockyard.domain.image import DEFAULT_PLATFORM, Fingerprint
from dockyard.domain.sagemaker import Instances, SageMakerPolicy, SageMakerSettings
from dockyard.domain.sagemaker_host import HostEndpoint
from dockyard.ports import Answer, Request
from dockyard.testing.sagemaker import MemoryAccount


@dataclass(kw_only=True)
class MemoryEndpointScorer:
    """Invoker whose addresses are names of an account's endpoints: the revision that serves answers."""

    account: MemoryAccount
    wrong: set[Fingerprint] = field(default_factory=set)
    """Images that answer otherwise than at build time."""
    is_wrong: bool = False
    """Whether all do."""
    failure: DockyardError | None = None
    requests: list[Request] = field(default_factory=list)

    def invoke(self, address: str, request: Request, timeout_seconds: float) -> Answer:
        """The fingerprint of the image that answers, which is what it answered at build time, too."""
        del timeout_seconds
        if self.failure is not None:
            raise self.failure
        fingerprint = self._find_serving(address)
        if fingerprint is None:
            raise UnavailableError("scorer-unreachable", f"endpoint {address} does not answer")
        self.requests.append(request)
        is_wrong = self.is_wrong or fingerprint in self.wrong
        return Answer(value={"predictions": [0 if is_wrong else fingerprint]}, seconds=0.01)

    def find_difference(self, fingerprint: Fingerprint, answer: object) -> str | None:
        """Where it is the answer of another image."""
        return None if answer == {"predictions": [fingerprint]} else "predictions[0]"

    def _find_serving(self, address: str) -> Fingerprint | None:
        endpoint = self.account.endpoints.get(address)
        state = endpoint.state if endpoint else None
        if isinstance(state, HostEndpoint) and state.component is not None and state.component.copies == 0:
            return None
        part = self.account.models.get(state.serving_config or "") if state else None
        return part.spec.fingerprint if part else None


@dataclass(kw_only=True)
class MemoryPreflight:
    """Preflight whose answers are given."""

    invalid: DockyardError | None = None
    platform: str = DEFAULT_PLATFORM
    cost: str | None = None
    findings: tuple[Finding, ...] = ()

    def check_settings(self, key: DeploymentKey, settings: SageMakerSettings, policy: SageMakerPolicy) -> None:
        """All is well unless it is said otherwise."""
        del key, settings, policy
        if self.invalid is not None:
            raise self.invalid

    def choose_platform(self, settings: SageMakerSettings) -> str:
        """The same for all instances."""
        del settings
        return self.platform

    def examine(self, key: DeploymentKey, settings: SageMakerSettings, package_group: str | None = None) -> tuple[Finding, ...]:
        """What was given."""
        del key, settings, package_group
        return self.findings

    def describe_cost(self, settings: SageMakerSettings, policy: SageMakerPolicy) -> str | None:
        """What was given."""
        del settings, policy
        return self.cost

    def describe_job_cost(self, instances: Instances) -> str | None:
        """What was given."""
        del instances
        return self.cost
