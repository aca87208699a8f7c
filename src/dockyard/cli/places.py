"""Owns which deployment a verb is about, and where it is looked for. Must not contact anything."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dockyard.cli.choices import choose_environment, load_target_settings
from dockyard.domain.deployment import DeploymentKey, Target
from dockyard.domain.errors import UsageError
from dockyard.domain.names import check_name
from dockyard.domain.settings import EnvironmentSettings, Settings

if TYPE_CHECKING:
    from dockyard.cli.session import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class Whereabouts:
    """The options that say where a deployment is, None where one was not given."""

    config: str | None
    environment: str | None
    context: str | None = None
    namespace: str | None = None
    region: str | None = None

    @property
    def target(self) -> Target | None:
        """The target whose options were given. Raises UsageError `usage` where they are of two."""
        is_cluster = self.context is not None or self.namespace is not None
        if is_cluster and self.region is not None:
            raise UsageError(
                "usage", "a deployment is in a cluster or in an AWS region", hint="leave out `--region`, or the other one"
            )
        return Target.K8S if is_cluster else Target.SAGEMAKER if self.region is not None else None

    @property
    def given(self) -> dict[str, str | None]:
        """What is laid over the environment's own settings."""
        return {"context": self.context, "namespace": self.namespace, "region": self.region}


def load_key(session: Session, name: str, where: Whereabouts) -> tuple[Settings, DeploymentKey]:
    """Return the configuration, and the key that `NAME` or `ENVIRONMENT/NAME` names.

    Raises UsageError `usage`, `name-invalid`, `config-invalid`, `environment-unknown`.
    """
    before, slash, rest = name.rpartition("/")
    if slash and where.environment and before != where.environment:
        raise UsageError(
            "usage", f"`{name}` and `--env {where.environment}` name two environments", hint="leave one of them out"
        )
    settings, chosen = _load_environment(session, before if slash else where.environment, where)
    return settings, DeploymentKey(environment=chosen.name, name=check_name("deployment", rest), target=chosen.target)


def load_filter(session: Session, name: str | None, where: Whereabouts) -> tuple[Settings, str | None, str | None]:
    """Return the configuration, and the environment and the deployment's name that are asked about; None: any.

    Raises as `load_key` does.
    """
    if name is not None and "/" in name:
        settings, key = load_key(session, name, where)
        return settings, key.environment, key.name
    asked = None if name is None else check_name("deployment", name)
    if where.environment is None and where.target is None:
        return session.load_settings(where.config), None, asked
    settings, chosen = _load_environment(session, where.environment, where)
    return settings, chosen.name, asked


def _load_environment(session: Session, name: str | None, where: Whereabouts) -> tuple[Settings, EnvironmentSettings]:
    if where.target is None:
        settings = session.load_settings(where.config)
        return settings, choose_environment(settings, name, session.environ)
    return load_target_settings(session, (where.config, name, where.target), where.given, ())
