"""Owns the plugin `dockyard-k8s`: the three names that MLflow looks for in a module, and no other client class."""

from __future__ import annotations

from dockyard.domain.deployment import Target
from dockyard.mlflow_deployments import client, desk
from dockyard.mlflow_deployments.config import Config
from dockyard.mlflow_deployments.target_help import describe_target


class K8sClient(client.DockyardClient):
    """Deployments of an environment on Kubernetes."""

    target = Target.K8S


def run_local(name: str, model_uri: str, flavor: str | None = None, config: Config | None = None) -> None:
    """Bring a model into service on this machine instead; `config` is about that."""
    desk.run_here(name, model_uri, flavor, config)


def target_help() -> str:
    """What `mlflow deployments help` shows."""
    return describe_target("dockyard-k8s", Target.K8S)
