"""Owns taking scaling away, and what brings copies of an inference component back when there is none."""

from __future__ import annotations

from dockyard.adapters.sagemaker import component_requests as requests
from dockyard.adapters.sagemaker.errors import is_missing, read_message, translated
from dockyard.adapters.sagemaker.session import Session

_SCALING = "application-autoscaling"


def put_wake(session: Session, component: str) -> None:
    """Make the alarm on requests that find no copy, and what it sets going."""
    with translated(f"{_SCALING}:PutScalingPolicy"):
        made = session.client(_SCALING).put_scaling_policy(**requests.put_wake_policy(component))
    with translated("cloudwatch:PutMetricAlarm"):
        session.client("cloudwatch").put_metric_alarm(**requests.put_wake_alarm(component, str(made["PolicyARN"])))


def delete_wake(session: Session, component: str) -> None:
    """Delete that alarm, where there is one; its policy goes with the scaling."""
    client, name = session.client("cloudwatch"), requests.wake_name(component)
    with translated("cloudwatch:DescribeAlarms"):
        there = client.describe_alarms(AlarmNames=[name], AlarmTypes=["MetricAlarm"])["MetricAlarms"]
    if there:
        with translated("cloudwatch:DeleteAlarms"):
            client.delete_alarms(AlarmNames=[name])


def stop_scaling(session: Session, component: str) -> None:
    """Take all of its scaling away, as far as it is there."""
    delete_wake(session, component)
    deregister(session, requests.scaling_resource(component))


def deregister(session: Session, resource: requests.Params) -> None:
    """Scale a variant or a component no more; one that is not scaled is no error."""
    from botocore.exceptions import ClientError

    with translated(f"{_SCALING}:DeregisterScalableTarget"):
        try:
            session.client(_SCALING).deregister_scalable_target(**resource)
        except ClientError as error:
            if not is_missing(error) and not read_message(error).startswith("No scalable target"):
                raise
