"""Owns endpoints: what they are, what moves them, and what their containers have logged. Must not wait for what they do."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

from dockyard.adapters.sagemaker import requests
from dockyard.adapters.sagemaker.component_looks import find_component
from dockyard.adapters.sagemaker.errors import eventually, is_missing, read_message, translated, unless_missing
from dockyard.adapters.sagemaker.scaling import deregister
from dockyard.adapters.sagemaker.session import Session
from dockyard.adapters.sagemaker.tags import read_owner
from dockyard.domain.deployment import DeploymentKey
from dockyard.domain.errors import ConflictError
from dockyard.domain.sagemaker import Endpoint, EndpointStatus, revision_name_stem
from dockyard.domain.sagemaker_component import InferenceComponent
from dockyard.domain.sagemaker_host import HostEndpoint
from dockyard.domain.sagemaker_steps import CreateEndpoint, UpdateEndpoint

LOG_GROUP = "/aws/sagemaker/Endpoints/"
COMPONENT_LOG_GROUP = "/aws/sagemaker/InferenceComponents/"
_STREAMS = 3
_LATE_SECONDS = 10.0
"""How long after it was made an endpoint without tags may still be one whose tags are not to be seen yet."""
_PAUSE_SECONDS = 0.2


class SageMakerEndpoints:
    """The endpoints of an account and region."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._tags: dict[tuple[str, datetime], list[Mapping[str, str]]] = {}
        """Of endpoints of ours, by ARN and when they were made: nobody changes them while an endpoint is waited for."""

    def describe_endpoint(self, name: str) -> Endpoint | None:
        """How an endpoint is now; None where there is none."""
        client = self._session.client("sagemaker")
        found = unless_missing("sagemaker:DescribeEndpoint", lambda: client.describe_endpoint(EndpointName=name))
        if found is None:
            return None
        tags = self._find_tags(found)
        if tags is None:  # its deletion came to its end between the two calls
            return None
        owner = read_owner(tags)
        there = _read_endpoint(found, str(owner.key) if owner else None)
        live, coming = self._list_models(found), self._list_models(found.get("PendingDeploymentSummary") or {})
        production, shadow = live or (None, None)
        if owner is not None and owner.is_for_host:
            component = find_component(self._session, name)
            return _make_host(there, component)
        return dataclasses.replace(there, production=production, shadow=shadow, coming=coming)

    def create_endpoint(self, key: DeploymentKey, step: CreateEndpoint) -> None:
        """Begin to create an endpoint; one of ours that is there with that configuration was begun before."""
        from botocore.exceptions import ClientError

        client = self._session.client("sagemaker")
        with translated("sagemaker:CreateEndpoint"):
            try:
                eventually(lambda: client.create_endpoint(**requests.create_endpoint(key, step)), _is_late)
            except ClientError as error:
                if "already existing" not in read_message(error):
                    raise
                self._require_begun(key, step)

    def update_endpoint(self, step: UpdateEndpoint) -> None:
        """Begin to roll a configuration out; where it is under way already, an answer was lost and nothing is to be done.

        Raises ConflictError `plan-stale` for an endpoint that is changing, or at neither of the step's configurations.
        """
        from botocore.exceptions import ClientError

        endpoint = self.describe_endpoint(step.endpoint)
        if endpoint is not None and _is_at(endpoint, step.config):
            return
        if endpoint is None or endpoint.status.is_moving or endpoint.config not in {step.previous_config, step.config}:
            raise _tell_stale(step.endpoint, endpoint)
        client = self._session.client("sagemaker")
        with translated("sagemaker:UpdateEndpoint"):
            try:
                eventually(lambda: client.update_endpoint(**requests.update_endpoint(step)), _is_late)
            except ClientError as error:
                if "in-progress" not in read_message(error):
                    raise
                self._require_under_way(step)

    def delete_endpoint(self, name: str) -> None:
        """Begin to delete an endpoint, with its scaling first: the service refuses one that is scaled otherwise."""
        from botocore.exceptions import ClientError

        deregister(self._session, requests.scaling_resource(name))
        client = self._session.client("sagemaker")
        with translated("sagemaker:DeleteEndpoint"):
            try:
                client.delete_endpoint(EndpointName=name)
            except ClientError as error:
                if not is_missing(error) and not ("in-progress" in read_message(error) and self._is_going(name)):
                    raise

    def read_logs(self, name: str, *, tail: int, since: datetime | None = None) -> tuple[str, ...]:
        """The last lines of the newest containers, at or after `since`; none where they may not be read."""
        groups = (LOG_GROUP + name, COMPONENT_LOG_GROUP + name)
        return next((lines for lines in (self._read_group(one, tail, since) for one in groups) if lines), ())

    def _read_group(self, group: str, tail: int, since: datetime | None) -> tuple[str, ...]:
        from botocore.exceptions import BotoCoreError, ClientError

        client = self._session.client("logs")
        lines: list[tuple[int, str]] = []
        span = {} if since is None else {"startTime": int(since.timestamp() * 1000)}
        try:
            newest = client.describe_log_streams(logGroupName=group, orderBy="LastEventTime", descending=True, limit=_STREAMS)
            for stream in newest["logStreams"]:
                events = client.get_log_events(
                    logGroupName=group, logStreamName=stream["logStreamName"], limit=tail, startFromHead=False, **span
                )
                lines += [(int(event["timestamp"]), str(event["message"]).rstrip("\n")) for event in events["events"]]
        except (BotoCoreError, ClientError):
            return ()
        return tuple(text for _, text in sorted(lines, key=lambda line: line[0])[-tail:])

    def _list_models(self, fleet: Mapping[str, Any]) -> tuple[str, ...]:
        """The models of a fleet with a shadow, the one that answers first; none of others, whose configuration is called so."""
        if not fleet.get("ShadowProductionVariants"):
            return ()
        client, name = self._session.client("sagemaker"), fleet["EndpointConfigName"]
        what = "sagemaker:DescribeEndpointConfig"
        config = unless_missing(what, lambda: client.describe_endpoint_config(EndpointConfigName=name))
        if config is None:
            return ()
        variants = (*config["ProductionVariants"][:1], *config.get("ShadowProductionVariants", ())[:1])
        return tuple(str(one["ModelName"]) for one in variants)

    def _find_tags(self, found: Mapping[str, Any]) -> list[Mapping[str, str]] | None:
        """An endpoint's tags; None where it is gone. Those of one that was just made may be late, and are waited for."""
        arn, created = str(found["EndpointArn"]), found["CreationTime"]
        if (arn, created) in self._tags:
            return self._tags[arn, created]
        tags = find_tags(self._session, arn)
        while tags == [] and datetime.now(timezone.utc) < created + timedelta(seconds=_LATE_SECONDS):
            time.sleep(_PAUSE_SECONDS)
            tags = find_tags(self._session, arn)
        if tags is not None and read_owner(tags) is not None:
            self._tags[arn, created] = tags
        return tags

    def _require_begun(self, key: DeploymentKey, step: CreateEndpoint) -> None:
        endpoint = self.describe_endpoint(step.endpoint)
        if endpoint is None or endpoint.owner != str(key) or endpoint.config != step.config:
            raise ConflictError(
                "plan-stale",
                f"endpoint {step.endpoint} has been made by somebody else",
                hint="somebody else changes it; plan again",
            )

    def _require_under_way(self, step: UpdateEndpoint) -> None:
        """Where the answer was lost, the SDK has asked again, and the service refuses: it is doing what was asked for."""
        endpoint = self.describe_endpoint(step.endpoint)
        if endpoint is None or not _is_at(endpoint, step.config):
            raise _tell_stale(step.endpoint, endpoint)

    def _is_going(self, name: str) -> bool:
        endpoint = self.describe_endpoint(name)
        return endpoint is None or endpoint.status is EndpointStatus.DELETING


def list_models(session: Session, endpoint: str) -> list[Mapping[str, Any]]:
    """The models of an endpoint's revisions and of its jobs, each as ListModels tells it."""
    with translated("sagemaker:ListModels"):
        pages = session.client("sagemaker").get_paginator("list_models").paginate(NameContains=revision_name_stem(endpoint))
        return [model for page in pages for model in page["Models"]]


def list_tags(session: Session, arn: str) -> list[Mapping[str, str]]:
    """All tags of a SageMaker resource; none where it is gone."""
    return find_tags(session, arn) or []


def find_tags(session: Session, arn: str) -> list[Mapping[str, str]] | None:
    """All tags of a SageMaker resource; None where it is gone."""
    pages = session.client("sagemaker").get_paginator("list_tags").paginate(ResourceArn=arn)
    return unless_missing("sagemaker:ListTags", lambda: [tag for page in pages for tag in page["Tags"]])


def _is_at(endpoint: Endpoint, config: str) -> bool:
    """Whether it serves a configuration and nothing else, or is on its way to it."""
    rests = endpoint.status in {EndpointStatus.IN_SERVICE, EndpointStatus.SYSTEM_UPDATING}
    return endpoint.target_config == config or (rests and endpoint.config == config)


def _tell_stale(name: str, endpoint: Endpoint | None) -> ConflictError:
    what = "is gone" if endpoint is None else f"is {endpoint.status.value} at {endpoint.config}"
    return ConflictError("plan-stale", f"endpoint {name} {what}", hint="somebody else changes it; plan again")


def _is_late(error: Exception) -> bool:
    """Whether a name that was just made is not to be seen yet, or a role that was just made not yet to be assumed."""
    message = read_message(error)
    return message.startswith("Could not find endpoint configuration") or "Could not assume role" in message


def _make_host(there: Endpoint, component: InferenceComponent | None) -> HostEndpoint:
    """An endpoint whose copies are its component's."""
    return HostEndpoint(
        name=there.name,
        status=there.status,
        config=there.config,
        pending_config=there.pending_config,
        images=component.images if component else (),
        failure_reason=there.failure_reason,
        changed=there.changed,
        owner=there.owner,
        component=component,
    )


def _read_endpoint(found: Mapping[str, Any], owner: str | None) -> Endpoint:
    pending = found.get("PendingDeploymentSummary") or {}
    variants = found.get("ProductionVariants") or []
    images = [image.get("ResolvedImage", "") for variant in variants for image in variant.get("DeployedImages") or []]
    return Endpoint(
        name=str(found["EndpointName"]),
        status=EndpointStatus(found["EndpointStatus"]),
        config=str(found.get("EndpointConfigName", "")),
        pending_config=pending.get("EndpointConfigName"),
        images=tuple(images),
        failure_reason=str(found.get("FailureReason", "")),
        changed=found["LastModifiedTime"].isoformat(),
        owner=owner,
    )
