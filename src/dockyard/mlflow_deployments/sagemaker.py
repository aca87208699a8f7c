"""Owns the plugin `dockyard-sagemaker`: the three names that MLflow looks for in a module, and no other client class."""

from __future__ import annotations

from dockyard.domain.deployment import Target
from dockyard.mlflow_deployments import client, desk
from dockyard.mlflow_deployments.config import Config
from dockyard.mlflow_deployments.target_help import describe_target


class SageMakerClient(client.DockyardClient):
    """Deployments of an environment on SageMaker."""

    target = Target.SAGEMAKER


def run_local(name: str, model_uri: str, flavor: str | None = None, config: Config | None = None) -> None:
    """Bring a model into service on this machine instead; `config` is about that."""
    desk.run_here(name, model_uri, flavor, config)


def target_help() -> str:
    """What `mlflow deployments help` shows."""
    return describe_target("dockyard-sagemaker", Target.SAGEMAKER)
