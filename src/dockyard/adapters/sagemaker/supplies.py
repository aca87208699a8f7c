"""Owns what endpoints need around them: the execution role, alarms, autoscaling; and reads them back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from dockyard.adapters.sagemaker import requests
from dockyard.adapters.sagemaker.errors import is_missing, read_code, translated, unless_missing
from dockyard.adapters.sagemaker.policies import Grantee, render_execution_policy, render_trust_policy
from dockyard.adapters.sagemaker.repositories import EcrRepositories
from dockyard.adapters.sagemaker.scaling import delete_wake, put_wake
from dockyard.adapters.sagemaker.session import Session
from dockyard.adapters.sagemaker.tags import tag_deployment
from dockyard.domain.deployment import DeploymentKey
from dockyard.domain.sagemaker import AlarmPolicy, Scaling, ScheduledCapacity, derive_endpoint_name
from dockyard.domain.sagemaker_steps import CreateRole, DeleteSupplies

_POLICY = "dockyard"
_KINDS = ("errors", "latency")
_SCALING = "application-autoscaling"


class SageMakerSupplies:
    """The supplies of an account and region."""

    def __init__(self, session: Session, repositories: EcrRepositories) -> None:
        self._session = session
        self._repositories = repositories

    def create_role(self, key: DeploymentKey, step: CreateRole) -> None:
        """Make an execution role with the least that the revision needs; one that is there gets that policy."""
        from botocore.exceptions import ClientError

        client, account = self._session.client("iam"), self._session.account()
        with translated("iam:CreateRole"):
            try:
                client.create_role(
                    RoleName=step.name,
                    AssumeRolePolicyDocument=json.dumps(render_trust_policy(account)),
                    Description=f"made by Dockyard for {key}",
                    Tags=tag_deployment(key, step.spec.settings.tags),
                )
            except ClientError as error:
                if read_code(error) != "EntityAlreadyExists":
                    raise
        grantee = Grantee(account=account, endpoint=derive_endpoint_name(key.environment, key.name))
        policy = render_execution_policy(grantee, step.spec.settings)
        with translated("iam:PutRolePolicy"):
            client.put_role_policy(RoleName=step.name, PolicyName=_POLICY, PolicyDocument=json.dumps(policy))

    def has_role(self, name: str) -> bool:
        """Whether there is a role of that name; one that may not be looked at counts as not there."""
        from botocore.exceptions import ClientError

        try:
            self._session.client("iam").get_role(RoleName=name)
        except ClientError:
            return False
        return True

    def put_alarms(self, key: DeploymentKey, endpoint: str, policy: AlarmPolicy | None, *, of_component: bool = False) -> None:
        """Make the alarms be those of the policy, and no others."""
        client = self._session.client("cloudwatch")
        wanted = requests.alarm_names(endpoint, policy)
        stale = [name for name in (requests.alarm_name(endpoint, kind) for kind in _KINDS) if name not in wanted]
        if policy is not None:
            with translated("cloudwatch:PutMetricAlarm"):
                for alarm in requests.put_alarms(key, endpoint, policy, of_component=of_component):
                    client.put_metric_alarm(**alarm)
        there = [str(alarm["AlarmName"]) for alarm in self._describe_alarms(endpoint)]
        with translated("cloudwatch:DeleteAlarms"):
            gone = [name for name in stale if name in there]
            if gone:
                client.delete_alarms(AlarmNames=gone)

    def find_alarms(self, endpoint: str) -> AlarmPolicy | None:
        """The policy that the endpoint's alarms are made by; None where there are none."""
        found = {str(alarm["AlarmName"]): alarm for alarm in self._describe_alarms(endpoint)}
        errors = found.get(requests.alarm_name(endpoint, "errors"))
        latency = found.get(requests.alarm_name(endpoint, "latency"))
        one = errors or latency
        if one is None:
            return None
        return AlarmPolicy(
            error_percent=float(errors["Threshold"]) if errors else None,
            latency_ms=int(latency["Threshold"] // 1000) if latency else None,
            period_seconds=_read_period(one),
            periods=int(one["EvaluationPeriods"]),
        )

    def put_scaling(self, endpoint: str, scaling: Scaling | None, *, of_component: bool = False) -> None:
        """Make the scaling be that: what is no longer wanted of it goes first."""
        from botocore.exceptions import ClientError

        client = self._session.client(_SCALING)
        resource = requests.scaling_resource(endpoint, of_component=of_component)
        if of_component:
            delete_wake(self._session, endpoint)
        with translated(f"{_SCALING}:DeregisterScalableTarget"):
            try:
                if self.find_scaling(endpoint, of_component=of_component) is not None:
                    client.deregister_scalable_target(**resource)
            except ClientError as error:
                if not is_missing(error):
                    raise
        if scaling is None:
            return
        for _, operation, params in requests.put_scaling(endpoint, scaling, of_component=of_component):
            with translated(f"{_SCALING}:{operation}"):
                _CALLS[operation](client, params)
            # Before what the scaling is known by: who is killed in between finds it missing, and makes it all again.
            if of_component and operation == "RegisterScalableTarget" and scaling.minimum == 0:
                put_wake(self._session, endpoint)

    def find_scaling(self, endpoint: str, *, of_component: bool = False) -> Scaling | None:
        """How the endpoint's variant, or its component, scales; None where it does not."""
        client, resource = self._session.client(_SCALING), requests.scaling_resource(endpoint, of_component=of_component)
        namespace, identity = resource["ServiceNamespace"], resource["ResourceId"]
        with translated(f"{_SCALING}:DescribeScalableTargets"):
            targets = client.describe_scalable_targets(
                ServiceNamespace=namespace, ResourceIds=[identity], ScalableDimension=resource["ScalableDimension"]
            )["ScalableTargets"]
            if not targets:
                return None
            policies = client.describe_scaling_policies(ServiceNamespace=namespace, ResourceId=identity)["ScalingPolicies"]
            actions = client.describe_scheduled_actions(ServiceNamespace=namespace, ResourceId=identity)["ScheduledActions"]
        return _read_scaling(targets[0], policies, actions)

    def delete_supplies(self, step: DeleteSupplies) -> None:
        """Delete repository, role and alarms, as far as they are there."""
        if step.has_alarms:
            with translated("cloudwatch:DeleteAlarms"):
                names = [str(alarm["AlarmName"]) for alarm in self._describe_alarms(step.endpoint)]
                if names:
                    self._session.client("cloudwatch").delete_alarms(AlarmNames=names)
        if step.repository is not None:
            self._repositories.delete_repository(step.repository)
        if step.role is not None:
            self._delete_role(step.role)

    def _describe_alarms(self, endpoint: str) -> list[Mapping[str, Any]]:
        names = [requests.alarm_name(endpoint, kind) for kind in _KINDS]
        with translated("cloudwatch:DescribeAlarms"):
            found = self._session.client("cloudwatch").describe_alarms(AlarmNames=names, AlarmTypes=["MetricAlarm"])
            return list(found["MetricAlarms"])

    def _delete_role(self, name: str) -> None:
        client = self._session.client("iam")

        def delete() -> None:
            for policy in client.list_role_policies(RoleName=name)["PolicyNames"]:
                client.delete_role_policy(RoleName=name, PolicyName=policy)
            client.delete_role(RoleName=name)

        unless_missing("iam:DeleteRole", delete)


_CALLS = {
    "RegisterScalableTarget": lambda client, params: client.register_scalable_target(**params),
    "PutScalingPolicy": lambda client, params: client.put_scaling_policy(**params),
    "PutScheduledAction": lambda client, params: client.put_scheduled_action(**params),
}


def _read_period(alarm: Mapping[str, Any]) -> int:
    metrics = [metric["MetricStat"]["Period"] for metric in alarm.get("Metrics", []) if "MetricStat" in metric]
    return int(metrics[0] if metrics else alarm["Period"])


def _read_scaling(target: Mapping[str, Any], policies: list[Mapping[str, Any]], actions: list[Mapping[str, Any]]) -> Scaling:
    kind = "TargetTrackingScalingPolicyConfiguration"
    tracking = next((one[kind] for one in policies if kind in one), None)
    schedule = tuple(
        ScheduledCapacity(
            name=str(one["ScheduledActionName"]),
            schedule=str(one["Schedule"]),
            minimum=int(one["ScalableTargetAction"]["MinCapacity"]),
            maximum=int(one["ScalableTargetAction"]["MaxCapacity"]),
        )
        for one in sorted(actions, key=lambda action: str(action["ScheduledActionName"]))
    )
    limits = {"minimum": int(target["MinCapacity"]), "maximum": int(target["MaxCapacity"])}
    if tracking is None:
        return Scaling(**limits, schedule=schedule)
    return Scaling(
        **limits,
        invocations_per_instance=float(tracking["TargetValue"]),
        scale_in_seconds=int(tracking.get("ScaleInCooldown", 300)),
        scale_out_seconds=int(tracking.get("ScaleOutCooldown", 300)),
        schedule=schedule,
    )
