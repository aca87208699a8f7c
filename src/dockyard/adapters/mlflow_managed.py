"""Owns the addresses of MLflow servers that SageMaker manages: ARNs, which MLflow takes when AWS's plugin is installed.

Must not sign anything: the plugin does, with the credentials that every AWS tool uses. The plugin has habits to live with. It
signs, and says which server is meant, by MLflow's tracking address of the whole process and not by the address of the client
that asks; so that address is set, and runs and models must be on one server.
https://docs.aws.amazon.com/sagemaker/latest/dg/mlflow-track-experiments.html
"""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib.metadata import entry_points

from dockyard.domain.errors import UsageError

_ARN = re.compile(
    r"arn:aws[a-z-]*:sagemaker:[a-z0-9-]+:\d{12}:(?:mlflow-tracking-server|mlflow-app)/[A-Za-z0-9](?:[A-Za-z0-9-]{0,254})"
)
_PLUGIN_GROUP, _PLUGIN_NAME = "mlflow.tracking_store", "arn"


def is_managed(uri: str) -> bool:
    """Whether it is an ARN, of whatever."""
    return uri.startswith("arn:")


def has_plugin() -> bool:
    """Whether MLflow has a plugin for ARNs in this Python."""
    return bool(entry_points(group=_PLUGIN_GROUP, name=_PLUGIN_NAME))


def check_managed(tracking_uri: str, registry_uri: str, what: str, *, find_plugin: Callable[[], bool] = has_plugin) -> None:
    """Refuse what could not work, where one of the addresses is an ARN.

    Raises UsageError: `setting-invalid` for an ARN of something else and for two servers, `dependency-missing` without the
    plugin.
    """
    for uri in (tracking_uri, registry_uri):
        if is_managed(uri) and not _ARN.fullmatch(uri):
            raise UsageError(
                "setting-invalid",
                f"could not {what}: {uri} is not the ARN of an MLflow server that SageMaker manages",
                hint="it looks like arn:aws:sagemaker:<region>:<account>:mlflow-tracking-server/<name>, or …:mlflow-app/<id>",
            )
    managed = next((uri for uri in (registry_uri, tracking_uri) if is_managed(uri)), None)
    if managed is None:
        return
    if tracking_uri != registry_uri:
        raise UsageError(
            "setting-invalid",
            f"could not {what}: {managed} is the address of runs or of models only, and it has to be that of both",
            hint="set MLFLOW_TRACKING_URI (or `registry.tracking_uri`) to it, and leave MLFLOW_REGISTRY_URI out",
        )
    if not find_plugin():
        raise UsageError(
            "dependency-missing",
            f"could not {what}: {managed} is managed by SageMaker, and MLflow's plugin for that is not installed",
            hint="pip install 'dockyard[sagemaker-mlflow]'",
        )


def find_host(uri: str) -> str:
    """The address that the plugin sends requests to. SAGEMAKER_MLFLOW_CUSTOM_ENDPOINT names another than AWS's."""
    from sagemaker_mlflow.mlflow_sagemaker_helpers import SageMakerMLflowHostMetadataProvider

    server = SageMakerMLflowHostMetadataProvider()
    server.set_arn(uri)
    return str(server.construct_tracking_server_url())


def use_for_process(uri: str) -> None:
    """Make it MLflow's tracking address, which the plugin goes by."""
    import mlflow

    mlflow.set_tracking_uri(uri)
