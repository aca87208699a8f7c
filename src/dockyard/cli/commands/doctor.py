"""Owns `dockyard doctor`: what keeps Dockyard from working here or in an AWS account, and how to mend it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from dockyard.cli import options as opt
from dockyard.cli.root import app
from dockyard.cli.session import Session, find_session

if TYPE_CHECKING:
    from dockyard.domain.result import DoctorResult

_SAMPLE_NAME = "model"


@app.command("doctor")
def examine_surroundings(
    context: typer.Context,
    *,
    target: opt.DoctorTarget = None,
    name: opt.DoctorNameOption = None,
    environment: opt.DoctorEnvironmentOption = None,
    refresh_prices: opt.RefreshPricesOption = False,
    config: opt.ConfigOption = None,
    json: opt.JsonOption = False,
    verbose: opt.VerboseOption = False,
) -> int:
    """Look at what Dockyard needs here, or in AWS.

    And say how to mend what is amiss. Exits with 1 where something keeps it from working. `doctor sagemaker` looks at an
    environment's settings and account, as a deploy does before it makes anything.
    """
    from dockyard.domain.deployment import Target
    from dockyard.domain.errors import UsageError

    session = find_session(context, json=json, verbose=verbose)
    if target is Target.SAGEMAKER:
        return session.show(_examine_account(session, config, environment, name, refresh_prices=refresh_prices))
    if target is Target.K8S:
        hint = "`dockyard deploy k8s --plan` asks the cluster, and a deploy has it check everything before the first change"
        raise UsageError("usage", "there is no `doctor k8s`", hint=hint)
    if name or environment or refresh_prices:
        hint = "as in `dockyard doctor sagemaker --env prod`"
        raise UsageError("usage", "`--name`, `--env` and `--refresh-prices` are for `doctor sagemaker`", hint=hint)
    return session.show(_examine_machine(session, config))


def _examine_machine(session: Session, config: str | None) -> DoctorResult:
    from dockyard.adapters.checks import examine_configuration
    from dockyard.domain.result import DoctorResult

    settings, finding = examine_configuration(session.surroundings(config))
    findings = session.open_kit(settings).doctor().findings
    return DoctorResult(findings=(finding, *findings))


def _examine_account(
    session: Session, config: str | None, environment: str | None, name: str | None, *, refresh_prices: bool
) -> DoctorResult:
    from dockyard.cli.choices import load_target_settings
    from dockyard.domain.deployment import DeploymentKey, Target
    from dockyard.domain.names import check_name

    settings, place = load_target_settings(session, (config, environment, Target.SAGEMAKER), {}, ())
    named = check_name("deployment", name or _SAMPLE_NAME)
    key = DeploymentKey(environment=place.name, name=named, target=place.target)
    return session.open_kit(settings).doctor_account(key, refresh_prices=refresh_prices)
