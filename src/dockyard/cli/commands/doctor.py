"""Owns `dockyard doctor`: what keeps Dockyard from working here, in an AWS account or in a cluster, and how to mend it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from dockyard.cli import options as opt
from dockyard.cli.root import app
from dockyard.cli.session import Session, find_session

if TYPE_CHECKING:
    from dockyard.cli.kit import Kit
    from dockyard.cli.places import Whereabouts
    from dockyard.domain.deployment import DeploymentKey, Target
    from dockyard.domain.result import DoctorResult

_SAMPLE_NAME = "model"


@app.command("doctor")
def examine_surroundings(
    context: typer.Context,
    *,
    target: opt.DoctorTarget = None,
    name: opt.DoctorNameOption = None,
    environment: opt.DoctorEnvironmentOption = None,
    cluster_context: opt.ContextOption = None,
    namespace: opt.NamespaceOption = None,
    region: opt.RegionOption = None,
    refresh_prices: opt.RefreshPricesOption = False,
    config: opt.ConfigOption = None,
    json: opt.JsonOption = False,
    verbose: opt.VerboseOption = False,
) -> int:
    """Look at what Dockyard needs here, in AWS, or in a cluster.

    And say how to mend what is amiss. Exits with 1 where something keeps it from working. `doctor sagemaker` and `doctor k8s`
    look at an environment's account or cluster, as a deploy does before it makes anything.
    """
    from dockyard.cli.places import Whereabouts
    from dockyard.domain.deployment import Target
    from dockyard.domain.errors import UsageError

    session = find_session(context, json=json, verbose=verbose)
    where = Whereabouts(config=config, environment=environment, context=cluster_context, namespace=namespace, region=region)
    if target is Target.SAGEMAKER and where.target in {None, target}:
        kit, key = _open_target(session, target, where, name)
        return session.show(kit.doctor_account(key, refresh_prices=refresh_prices))
    if target is Target.K8S and where.target in {None, target} and not refresh_prices:
        kit, key = _open_target(session, target, where, name)
        return session.show(kit.doctor_cluster(key))
    if name or environment or refresh_prices or where.target:
        raise UsageError(
            "usage",
            "these options need a target that they are for; `--refresh-prices` and `--region` are for `doctor sagemaker`",
            hint="as in `dockyard doctor sagemaker --env prod`",
        )
    return session.show(_examine_machine(session, config))


def _examine_machine(session: Session, config: str | None) -> DoctorResult:
    from dockyard.adapters.checks import examine_configuration
    from dockyard.domain.result import DoctorResult

    settings, finding = examine_configuration(session.surroundings(config))
    findings = session.open_kit(settings).doctor().findings
    return DoctorResult(findings=(finding, *findings))


def _open_target(session: Session, target: Target, where: Whereabouts, name: str | None) -> tuple[Kit, DeploymentKey]:
    """What looks, and which deployment counts."""
    from dockyard.cli.choices import load_target_settings
    from dockyard.domain.deployment import DeploymentKey
    from dockyard.domain.names import check_name

    settings, place = load_target_settings(session, (where.config, where.environment, target), where.given, ())
    named = check_name("deployment", name or _SAMPLE_NAME)
    return session.open_kit(settings), DeploymentKey(environment=place.name, name=named, target=place.target)
