"""Owns MLflow's deployment client on Dockyard's use cases, for any target. A plugin module has one subclass of it.

What a call does is what the command of that meaning does: `create` and `update` are `deploy`, `get` and `list` `status`.
"""

from __future__ import annotations

import dataclasses
from typing import ClassVar, NoReturn
from urllib.parse import urlsplit

from mlflow.deployments import BaseDeploymentClient, PredictionsResponse

from dockyard.cli.json_form import to_json
from dockyard.cli.kit import OpenKit
from dockyard.domain.deployment import Target
from dockyard.domain.errors import ConflictError, NotFoundError, UsageError
from dockyard.domain.request import DeleteRequest
from dockyard.domain.result import StatusRow
from dockyard.mlflow_deployments.config import Config
from dockyard.mlflow_deployments.desk import FLAVOR, Desk, Dictionary, open_desk
from dockyard.mlflow_deployments.errors import told_as_mlflow_does
from dockyard.mlflow_deployments.payload import write_body
from dockyard.wiring import open_kit


class DockyardClient(BaseDeploymentClient):  # type: ignore[misc]  # MLflow has no types
    """Deployments of one environment; the target URI is the plugin's name, and may name the environment: `NAME:/prod`."""

    target: ClassVar[Target]

    def __init__(self, target_uri: str, open_kit: OpenKit = open_kit) -> None:
        super().__init__(target_uri)
        self._open_kit = open_kit

    @told_as_mlflow_does
    def create_deployment(
        self, name: str, model_uri: str, flavor: str | None = None, config: Config | None = None, endpoint: str | None = None
    ) -> Dictionary:
        """Bring a model into service under a name that nothing serves under yet; returns when it serves."""
        desk = self._open(config, endpoint)
        if _serves(desk.find(name)):
            hint = "`update` deploys another model under that name"
            raise ConflictError("name-taken", f"there is a deployment {desk.make_key(name)} already", hint=hint)
        return desk.deploy(name, model_uri, flavor)

    @told_as_mlflow_does
    def update_deployment(
        self,
        name: str,
        model_uri: str | None = None,
        flavor: str | None = None,
        config: Config | None = None,
        endpoint: str | None = None,
    ) -> Dictionary:
        """Deploy another model or other settings under a name; what is not in `config` is as configured, not as before.

        Without a model, the version that serves.
        """
        desk = self._open(config, endpoint)
        row = desk.require(name)
        return desk.deploy(name, model_uri or _name_model(row), flavor)

    @told_as_mlflow_does
    def delete_deployment(self, name: str, config: Config | None = None, endpoint: str | None = None) -> None:
        """Take a deployment away; one that is not there is no error."""
        desk = self._open(config, endpoint)
        try:
            desk.kit.delete(DeleteRequest(key=desk.make_key(name), lock_wait_seconds=desk.options.lock_wait), plan_only=False)
        except NotFoundError as error:
            if error.code != "deployment-not-found":
                raise

    @told_as_mlflow_does
    def list_deployments(self, endpoint: str | None = None) -> list[Dictionary]:
        """All deployments of the environment."""
        desk = self._open(None, endpoint)
        return [_describe_row(row) for row in desk.kit.status(desk.place.name, None).rows]

    @told_as_mlflow_does
    def get_deployment(self, name: str, endpoint: str | None = None) -> Dictionary:
        """How a deployment is."""
        return _describe_row(self._open(None, endpoint).require(name))

    @told_as_mlflow_does
    def predict(
        self, deployment_name: str | None = None, inputs: object = None, endpoint: str | None = None
    ) -> PredictionsResponse:
        """Ask a deployment; without inputs, the model's own input example."""
        desk = self._open(None, endpoint)
        if deployment_name is None:
            raise UsageError("usage", "nothing says which deployment is asked", hint="name it: `--name`, or `deployment_name`")
        found = desk.kit.predict(desk.make_key(deployment_name), write_body(inputs), "application/json").value
        return PredictionsResponse(found if isinstance(found, dict) else {"predictions": found})

    @told_as_mlflow_does
    def explain(self, deployment_name: str | None = None, df: object = None, endpoint: str | None = None) -> NoReturn:
        """Raise: models are asked for predictions only."""
        del deployment_name, df, endpoint
        hint = "log a model whose predictions hold the explanation, and ask that one"
        raise UsageError("usage", "deployments of Dockyard explain no predictions", hint=hint)

    def _open(self, config: Config | None, endpoint: str | None) -> Desk:
        if endpoint is not None:
            hint = f"a deployment is named by `--name`, its environment by `-t {self.target_uri.partition(':')[0]}:/NAME`"
            raise UsageError("usage", "deployments of Dockyard are under no endpoint", hint=hint)
        return open_desk(self.target, _find_environment(self.target_uri), config, self._open_kit)


def _find_environment(target_uri: str) -> str | None:
    parsed = urlsplit(target_uri)
    return f"{parsed.netloc}{parsed.path}".strip("/") or None if parsed.scheme else None


def _serves(row: StatusRow | None) -> bool:
    return row is not None and row.revision is not None


def _name_model(row: StatusRow) -> str:
    model = row.model
    if model is None or model.version is None:
        hint = "give `--model-uri`"
        raise UsageError("usage", f"{row.key} does not tell which registered version it serves", hint=hint)
    return f"models:/{model.name}/{model.version}"


def _describe_row(row: StatusRow) -> Dictionary:
    fields = {field.name: to_json(getattr(row, field.name)) for field in dataclasses.fields(row)}
    del fields["key"]
    return {"name": row.key.name, "environment": row.key.environment, "flavor": FLAVOR, **fields}
