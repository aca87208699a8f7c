"""Owns `doctor`: looks at the surroundings, one check after the other; what one finds keeps no other from looking."""

from __future__ import annotations

from collections.abc import Iterable

from dockyard.domain.deployment import DeploymentKey
from dockyard.domain.errors import UsageError
from dockyard.domain.finding import Finding, Severity
from dockyard.domain.k8s_demand import Demand
from dockyard.domain.result import DoctorResult
from dockyard.domain.sagemaker_place import SageMakerPlace
from dockyard.ports import Check
from dockyard.ports_k8s import ClusterExaminer
from dockyard.ports_sagemaker import Examiner


def examine(checks: Iterable[Check]) -> DoctorResult:
    """Return what all checks found, in their order."""
    return DoctorResult(findings=tuple(finding for check in checks for finding in check.examine()))


def examine_account(examiner: Examiner, key: DeploymentKey, place: SageMakerPlace, *, refresh_prices: bool) -> DoctorResult:
    """Return what an account and an environment's settings for it look like; prices are fetched before they are told."""
    fetched = (examiner.refresh_prices(),) if refresh_prices else ()
    group = place.policy.package.group if place.policy.package else None
    found = examiner.examine(key, place.settings, group)
    return DoctorResult(findings=(_check_settings(examiner, key, place), *fetched, *found))


def examine_cluster(examiner: ClusterExaminer, demand: Demand) -> DoctorResult:
    """Return what a cluster looks like for what an environment would ask of it."""
    return DoctorResult(findings=examiner.examine(demand))


def _check_settings(examiner: Examiner, key: DeploymentKey, place: SageMakerPlace) -> Finding:
    try:
        examiner.check_settings(key, place.settings, place.policy)
    except UsageError as error:
        remedy = "; ".join((*error.details, error.hint or "")) or None
        return Finding(code="settings", severity=Severity.ERROR, message=error.message, remedy=remedy)
    return Finding(code="settings", severity=Severity.OK, message="SageMaker takes the settings of the environment")
