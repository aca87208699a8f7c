"""`doctor sagemaker` tells of settings, prices and the account together, whatever one of them says."""

from __future__ import annotations

from dataclasses import dataclass, field

from dockyard.domain.deployment import DeploymentKey, Target
from dockyard.domain.errors import UsageError
from dockyard.domain.finding import Finding, Severity
from dockyard.domain.sagemaker import SageMakerPolicy, SageMakerSettings
from dockyard.domain.sagemaker_package import PackagePolicy
from dockyard.domain.sagemaker_place import SageMakerPlace
from dockyard.usecases.doctor import examine_account

KEY = DeploymentKey(environment="prod", name="wine", target=Target.SAGEMAKER)
PLACE = SageMakerPlace(policy=SageMakerPolicy(package=PackagePolicy(group="wines")))


@dataclass
class ToldExaminer:
    """An account that answers what a test says."""

    refusal: UsageError | None = None
    calls: list[str] = field(default_factory=list)

    def check_settings(self, key: DeploymentKey, settings: SageMakerSettings, policy: SageMakerPolicy) -> None:
        assert (key, settings, policy) == (KEY, PLACE.settings, PLACE.policy)
        if self.refusal is not None:
            raise self.refusal

    def examine(self, key: DeploymentKey, settings: SageMakerSettings, package_group: str | None = None) -> tuple[Finding, ...]:
        assert (key, settings, package_group) == (KEY, PLACE.settings, "wines")
        self.calls.append("examine")
        return (Finding(code="quota", severity=Severity.WARNING, message="low"),)

    def refresh_prices(self) -> Finding:
        self.calls.append("refresh")
        return Finding(code="prices", severity=Severity.OK, message="fetched")


def test_settings_come_first_and_prices_are_left_alone_unless_asked_for() -> None:
    examiner = ToldExaminer()

    result = examine_account(examiner, KEY, PLACE, refresh_prices=False)

    assert [(one.code, one.severity) for one in result.findings] == [("settings", Severity.OK), ("quota", Severity.WARNING)]
    assert examiner.calls == ["examine"]
    assert not result.has_errors


def test_prices_are_fetched_before_the_cost_is_told() -> None:
    examiner = ToldExaminer()

    result = examine_account(examiner, KEY, PLACE, refresh_prices=True)

    assert [one.code for one in result.findings] == ["settings", "prices", "quota"]
    assert examiner.calls == ["refresh", "examine"]


def test_wrong_settings_are_a_finding_with_every_problem_and_keep_nothing_from_being_looked_at() -> None:
    refusal = UsageError("setting-invalid", "2 settings", hint="the limits", details=("`count`: a", "`role`: b"))

    result = examine_account(ToldExaminer(refusal), KEY, PLACE, refresh_prices=False)

    assert result.has_errors
    assert result.findings[0] == Finding(
        code="settings", severity=Severity.ERROR, message="2 settings", remedy="`count`: a; `role`: b; the limits"
    )
    assert [one.code for one in result.findings] == ["settings", "quota"]
