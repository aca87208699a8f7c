"""Owns the place where one call of MLflow's is worked on: configuration, environment, options, and the use cases."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dockyard.cli.approval import ask_for_supplies
from dockyard.cli.choices import Wish, load_environment, make_deploy_request, make_k8s_request, make_sagemaker_request
from dockyard.cli.kit import Kit, OpenKit
from dockyard.cli.session import Session
from dockyard.domain.deployment import DeploymentKey, Target
from dockyard.domain.errors import NotFoundError, UsageError
from dockyard.domain.names import check_name
from dockyard.domain.request import DeployRequest
from dockyard.domain.result import DeployResult, StatusRow
from dockyard.domain.settings import EnvironmentSettings, Settings
from dockyard.mlflow_deployments.config import Config, Options, list_flags, read_options
from dockyard.mlflow_deployments.errors import told_as_mlflow_does
from dockyard.wiring import open_kit

Dictionary = dict[str, Any]
"""As MLflow wants its answers."""
FLAVOR = "python_function"
_LOGGER = logging.getLogger(__name__)
_MAKERS: dict[Target, Callable[..., DeployRequest]] = {
    Target.LOCAL: make_deploy_request,
    Target.K8S: make_k8s_request,
    Target.SAGEMAKER: make_sagemaker_request,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Where one call is worked on."""

    session: Session
    settings: Settings
    place: EnvironmentSettings
    options: Options
    kit: Kit

    def make_key(self, name: str) -> DeploymentKey:
        """The key of a deployment of the environment."""
        return DeploymentKey(environment=self.place.name, name=check_name("deployment", name), target=self.place.target)

    def find(self, name: str) -> StatusRow | None:
        """How a deployment is; None where there is none."""
        rows = self.kit.status(self.place.name, self.make_key(name).name).rows
        return next(iter(rows), None)

    def require(self, name: str) -> StatusRow:
        """How a deployment is. Raises NotFoundError `deployment-not-found`."""
        found = self.find(name)
        if found is None:
            hint = "`mlflow deployments list` shows those that there are"
            raise NotFoundError("deployment-not-found", f"there is no deployment {self.make_key(name)}", hint=hint)
        return found

    def deploy(self, name: str, model_uri: str, flavor: str | None) -> Dictionary:
        """Bring a model into service."""
        if flavor not in {None, FLAVOR}:
            raise UsageError("usage", f"the flavor {flavor} is not served", hint=f"leave it out: it is `{FLAVOR}`")
        wish = Wish(model=model_uri, name=name, variables=(), promote=self.options.promote, lock_wait=self.options.lock_wait)
        request = _MAKERS[self.place.target](wish, self.place, self.settings.image, self.session)
        approve = None if self.options.yes else ask_for_supplies(self.session, allowed_by="`-C yes=true`")
        return _describe_result(self.kit.deploy(request, plan_only=False, approve=approve))


def open_desk(target: Target, environment: str | None, config: Config | None, open_kit: OpenKit) -> Desk:
    """Return the place for a call. Raises UsageError `config-invalid`, `environment-unknown`, `usage`."""
    given = config or {}
    session = Session(
        command=f"deploy {target.value}",
        as_json=False,
        is_verbose=False,
        open_kit=open_kit,
        stdin=sys.stdin,
        out=sys.stdout,
        err=sys.stderr,
        folder=Path.cwd(),
        environ=os.environ,
    )
    where = (None, environment, target)
    settings, place = load_environment(session, where, lambda name: tuple(list_flags(given, name, target)))
    return Desk(session=session, settings=settings, place=place, options=read_options(given), kit=open_kit(settings))


@told_as_mlflow_does
def run_here(name: str, model_uri: str, flavor: str | None, config: Config | None, open_kit: OpenKit = open_kit) -> None:
    """Bring a model into service on this machine, as `deploy local` does, and tell the endpoint."""
    desk = open_desk(Target.LOCAL, Target.LOCAL.value, config, open_kit)
    desk.session.out.write(f"{desk.deploy(name, model_uri, flavor)['endpoint']}\n")


def _describe_result(result: DeployResult) -> Dictionary:
    for note in (*result.notes, *(failure.message for failure in result.failures)):
        _LOGGER.warning("%s", note)
    return {
        "name": result.key.name,
        "flavor": FLAVOR,
        "environment": result.key.environment,
        "status": result.status.value,
        "endpoint": result.endpoint,
        "revision": result.revision,
        "model": result.model.title,
        "image": result.image,
    }
