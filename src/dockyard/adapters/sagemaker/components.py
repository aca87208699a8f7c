"""Owns inference components and the configurations of their endpoints: what makes, moves and deletes them."""

from __future__ import annotations

from dataclasses import dataclass

from dockyard.adapters.sagemaker import component_requests as requests
from dockyard.adapters.sagemaker.component_looks import describe_component, find_component
from dockyard.adapters.sagemaker.errors import eventually, is_missing, read_message, translated
from dockyard.adapters.sagemaker.requests import alarm_names, differs
from dockyard.adapters.sagemaker.revisions import SageMakerRevisions
from dockyard.adapters.sagemaker.scaling import stop_scaling
from dockyard.adapters.sagemaker.session import Session
from dockyard.domain.deployment import DeploymentKey
from dockyard.domain.errors import ConflictError
from dockyard.domain.sagemaker_component import ComponentStatus
from dockyard.domain.sagemaker_component_steps import CreateComponent, CreateHostConfig, UpdateComponent


@dataclass(frozen=True, slots=True, kw_only=True)
class SageMakerComponents:
    """The components of an account and region."""

    session: Session
    revisions: SageMakerRevisions

    def create_host_config(self, key: DeploymentKey, step: CreateHostConfig) -> None:
        """Make an endpoint configuration; a role that was just made takes a while."""
        self.revisions.create_config_of(step.name, requests.create_host_config(key, step))

    def delete_host_config(self, name: str) -> None:
        """Delete one, as one of a shadow is deleted: both are no revision's."""
        self.revisions.delete_shadow_config(name)

    def create_component(self, key: DeploymentKey, step: CreateComponent) -> None:
        """Begin to create a component; one of that endpoint with that model was begun before."""
        from botocore.exceptions import ClientError

        client, params = self.session.client("sagemaker"), requests.create_component(key, step)
        with translated("sagemaker:CreateInferenceComponent"):
            try:
                eventually(lambda: client.create_inference_component(**params), _is_late)
            except ClientError as error:
                if "already existing" not in read_message(error):
                    raise
                self._require_begun(step, params)

    def update_component(self, step: UpdateComponent) -> None:
        """Begin to replace its copies; where it is at that model, an answer was lost and nothing is to be done."""
        from botocore.exceptions import ClientError

        component = find_component(self.session, step.endpoint)
        is_moving = component is not None and component.status.is_moving
        if component is None or is_moving or component.model not in {step.model, step.previous}:
            what = "is gone" if component is None else f"is {component.status.value} at {component.model}"
            raise _tell_stale(step.endpoint, what)
        if component.model == step.model and component.status is ComponentStatus.IN_SERVICE:
            return
        client = self.session.client("sagemaker")
        params = requests.update_component(step, (*alarm_names(step.endpoint, step.alarms), *step.rollout.alarms))
        with translated("sagemaker:UpdateInferenceComponent"):
            try:
                eventually(lambda: client.update_inference_component(**params), _is_late)
            except ClientError as error:
                # It was at rest a moment ago: the answer was lost, the SDK has asked again, and it is doing what was asked for.
                if "in-progress" not in read_message(error) or not self._is_begun(step):
                    raise

    def delete_component(self, name: str) -> None:
        """Begin to delete a component, with its scaling first; one of that name on another endpoint is not ours."""
        from botocore.exceptions import ClientError

        stop_scaling(self.session, name)
        if find_component(self.session, name) is None:
            return
        client = self.session.client("sagemaker")
        with translated("sagemaker:DeleteInferenceComponent"):
            try:
                client.delete_inference_component(InferenceComponentName=name)
            except ClientError as error:
                if not is_missing(error) and not ("in-progress" in read_message(error) and self._is_going(name)):
                    raise

    def _is_begun(self, step: UpdateComponent) -> bool:
        component = find_component(self.session, step.endpoint)
        return component is not None and (component.status is ComponentStatus.UPDATING or component.model == step.model)

    def _is_going(self, name: str) -> bool:
        component = find_component(self.session, name)
        return component is None or component.status is ComponentStatus.DELETING

    def _require_begun(self, step: CreateComponent, params: requests.Params) -> None:
        there = describe_component(self.session, step.endpoint)
        if there is None or there["EndpointName"] != step.endpoint:
            raise ConflictError(
                "name-taken",
                f"inference component {step.endpoint} is on another endpoint, and was made by somebody else",
                hint="deploy under another `--name`, or delete it",
            )
        if differs(params["Specification"], there.get("Specification") or {}) is not None:
            raise _tell_stale(step.endpoint, "has been made by somebody else")


def _tell_stale(name: str, what: str) -> ConflictError:
    return ConflictError("plan-stale", f"inference component {name} {what}", hint="somebody else changes it; plan again")


def _is_late(error: Exception) -> bool:
    """Whether a model or an endpoint that was just made is not to be seen yet."""
    return read_message(error).startswith(("Could not find model", "Could not find endpoint"))
