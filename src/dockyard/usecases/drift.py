"""Owns `drift`: a plan that is shown and never applied.

What is wanted is what the environment's alias points at, where the model has that alias, and otherwise the revision that was
recorded last: so drift tells of a registry that has moved on as well as of a deployment that has fallen behind.
"""

from __future__ import annotations

from dockyard.domain.deployment import DeploymentKey, Revision
from dockyard.domain.errors import DockyardError
from dockyard.domain.finding import Finding, Severity
from dockyard.domain.result import DeploymentDrift, DriftResult
from dockyard.usecases.observe import require_deployment
from dockyard.usecases.site import Keep
from dockyard.usecases.workbench import Workbench

_HISTORY_LIMIT = 5


def describe_drift(bench: Workbench, key: DeploymentKey | None) -> DriftResult:
    """Compare one deployment, or all, with what they should be. Changes nothing."""
    keys = (key,) if key else bench.list_deployments()
    return DriftResult(deployments=tuple(_describe_one(bench, one) for one in keys))


def _describe_one(bench: Workbench, key: DeploymentKey) -> DeploymentDrift:
    seen = require_deployment(bench, key)
    revision = seen.serving_revision
    if revision is None:
        finding = Finding(
            code="nothing-serving",
            severity=Severity.ERROR,
            message=f"no revision of {key} serves",
            remedy="`dockyard deploy` completes what was begun, `dockyard gc` removes it",
        )
        return DeploymentDrift(key=key, plan=None, findings=(finding,))
    keep = Keep(history_limit=max(_HISTORY_LIMIT, len(seen.revisions)), keeps_candidate=True)
    try:
        model = revision.spec.model
        alias_version = bench.registry.find_alias(model.name, key.environment) if model.name else None
        planned = bench.sites.find(key.environment).plan_revision(bench, key, revision.number, keep)
    except DockyardError as error:
        finding = Finding(code=error.code, severity=Severity.WARNING, message=error.message, remedy=error.hint)
        return DeploymentDrift(key=key, plan=None, findings=(finding,))
    return DeploymentDrift(key=key, plan=planned.plan, findings=_compare_alias(key, revision, alias_version))


def _compare_alias(key: DeploymentKey, revision: Revision, alias_version: str | None) -> tuple[Finding, ...]:
    model = revision.spec.model
    if alias_version is None or alias_version == model.version:
        return ()
    return (
        Finding(
            code="alias-moved",
            severity=Severity.WARNING,
            message=f"alias {model.name}@{key.environment} points at version {alias_version}, version {model.version} serves",
            remedy=f"`dockyard deploy {key.target.value} -m models:/{model.name}@{key.environment} --name {key.name} "
            f"--env {key.environment}`, or `dockyard promote` for what serves",
        ),
    )
