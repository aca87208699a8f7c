"""Whatever AWS answers, to whichever call: a command ends done, or failed with the cause and nothing left behind.

The use cases, the adapters and the SDK with its own retries are the real ones; the sandbox stands in for the service, over HTTP
where calls are cut, and an endpoint that serves is asked all the time. After every fault the same command again completes.
"""

from __future__ import annotations

import re

import pytest

from dockyard_sandbox.faults import Rule
from support.sagemaker_cloud import SageMakerCloud
from support.sagemaker_plays import COMMANDS, complete, is_served_throughout, open_play, suffer

_REVISION = (
    "registry:InitiateLayerUpload",
    "registry:CompleteLayerUpload",
    "registry:PutImage",
    "s3:PutObject",
    "sagemaker:CreateModel",
    "sagemaker:CreateEndpointConfig",
)
_NO_REVISION = (
    "sagemaker:DeleteModelPackage",
    "sagemaker:DeleteEndpointConfig",
    "sagemaker:DeleteModel",
    "s3:DeleteObject",
    "ecr:BatchDeleteImage",
)
CALLS = {
    "create": (
        "ecr:CreateRepository",
        "iam:CreateRole",
        "iam:PutRolePolicy",
        *_REVISION,
        "monitoring:PutMetricAlarm",
        "sagemaker:CreateEndpoint",
        "sagemaker:AddTags",
        "sagemaker:CreateModelPackageGroup",
        "sagemaker:CreateModelPackage",
        "application-autoscaling:RegisterScalableTarget",
        "application-autoscaling:PutScalingPolicy",
    ),
    "update": (*_REVISION, "sagemaker:UpdateEndpoint", "sagemaker:AddTags", "sagemaker:CreateModelPackage", *_NO_REVISION),
    "rollback": ("sagemaker:UpdateEndpoint",),
    "delete": (
        "application-autoscaling:DeregisterScalableTarget",
        "sagemaker:DeleteEndpoint",
        *_NO_REVISION,
        "sagemaker:DeleteModelPackageGroup",
        "monitoring:DeleteAlarms",
        "ecr:DeleteRepository",
        "iam:DeleteRolePolicy",
        "iam:DeleteRole",
    ),
}
"""The calls of each command that change something, in their order."""
LOOKS = (
    "sts:GetCallerIdentity",
    "sagemaker:DescribeEndpoint",
    "sagemaker:ListTags",
    "sagemaker:ListModels",
    "sagemaker:DescribeModel",
    "sagemaker:ListModelPackages",
    "sagemaker:DescribeModelPackageGroup",
    "sagemaker:DescribeModelPackage",
    "ecr:DescribeRepositories",
    "monitoring:DescribeAlarms",
    "application-autoscaling:DescribeScalableTargets",
)
POINTS = [
    pytest.param(command, call, id=f"{command}-{call}")
    for command, call in {call: (command, call) for command, calls in CALLS.items() for call in calls}.values()
]
"""Each call once, in the last of the commands that make it: the one with the most to lose."""
MAKING = [point for point in POINTS if not re.search(":(Batch)?(Delete|Deregister)", str(point.id))]
"""Those of them that make or change something; what deletes is asked again, whatever was answered."""


def _on(call: str, kind: str, **more: object) -> Rule:
    service, operation = call.split(":")
    return Rule(kind=kind, service=service, operation=operation, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("command", COMMANDS)
def test_these_are_all_calls_that_change_something(sagemaker_cloud: SageMakerCloud, command: str) -> None:
    with open_play(sagemaker_cloud, command) as play:
        sagemaker_cloud.sandbox.calls.clear()
        assert play.act().is_done
        calls = list(dict.fromkeys(sagemaker_cloud.list_calls()))
        assert sorted(calls) == sorted(CALLS[command])


@pytest.mark.parametrize("kind", ["throttle", "error-before", "error-after", "reset-before", "reset-after"])
@pytest.mark.parametrize("command", COMMANDS)
def test_command_is_done_though_every_call_fails_once(sagemaker_cloud: SageMakerCloud, command: str, kind: str) -> None:
    rules = [_on(call, kind) for call in (*CALLS[command], *LOOKS)]
    with open_play(sagemaker_cloud, command, over_http=True) as play:
        assert suffer(sagemaker_cloud, play, *rules).is_done


@pytest.mark.parametrize(("command", "call"), POINTS)
def test_refusal_is_told_and_leaves_nothing(sagemaker_cloud: SageMakerCloud, command: str, call: str) -> None:
    with open_play(sagemaker_cloud, command) as play:
        ending = suffer(sagemaker_cloud, play, _on(call, "access-denied", times=0))
        assert not ending.is_done
        assert "not authorized" in ending.said


@pytest.mark.parametrize(("command", "call"), MAKING)
def test_failure_after_the_effect_is_told_and_leaves_nothing(sagemaker_cloud: SageMakerCloud, command: str, call: str) -> None:
    with open_play(sagemaker_cloud, command) as play:
        suffer(sagemaker_cloud, play, _on(call, "error-after", times=0))


@pytest.mark.parametrize("first", [1, 25, 45])
@pytest.mark.parametrize("command", COMMANDS)
def test_session_that_expires_on_the_way_is_told_and_taken_up_again(
    sagemaker_cloud: SageMakerCloud, command: str, first: int
) -> None:
    # Nothing that a command has begun can be taken back then, so this is about what the same command does after signing in.
    rule = Rule(kind="expired-token", service="*", operation="[!I]*", nth=first, times=0)
    with open_play(sagemaker_cloud, command) as play, is_served_throughout(sagemaker_cloud, play):
        sagemaker_cloud.script(rule)
        ending = play.act()
        sagemaker_cloud.script()
        assert ending.is_done or "expired" in ending.said
        complete(play)


@pytest.mark.parametrize(
    ("command", "call"),
    [
        ("create", "ecr:CreateRepository"),
        ("create", "iam:CreateRole"),
        ("create", "sagemaker:CreateModel"),
        ("create", "sagemaker:CreateEndpointConfig"),
        ("create", "sagemaker:CreateEndpoint"),
        ("update", "sagemaker:CreateModel"),
        ("update", "sagemaker:UpdateEndpoint"),
        ("rollback", "sagemaker:UpdateEndpoint"),
    ],
)
def test_quota_that_is_exceeded_is_told_and_leaves_nothing(sagemaker_cloud: SageMakerCloud, command: str, call: str) -> None:
    with open_play(sagemaker_cloud, command) as play:
        ending = suffer(sagemaker_cloud, play, _on(call, "quota", times=0))
        assert ending.code == "quota-exceeded"


@pytest.mark.parametrize("call", ["sagemaker:CreateModel", "sagemaker:CreateEndpoint", "sagemaker:UpdateEndpoint"])
def test_throttling_that_does_not_end_is_told_and_leaves_nothing(sagemaker_cloud: SageMakerCloud, call: str) -> None:
    with open_play(sagemaker_cloud, "create" if call.endswith("CreateEndpoint") else "update") as play:
        ending = suffer(sagemaker_cloud, play, _on(call, "throttle", times=0))
        assert (ending.code, "Rate exceeded" in ending.said) == ("aws-throttled", True)


@pytest.mark.parametrize(
    ("command", "kind", "cause"),
    [
        *(
            (command, kind, cause)
            for command in ("create", "update", "rollback")
            for kind, cause in (
                ("capacity", "InsufficientInstanceCapacity"),
                ("ping-failure", "did not pass the ping health check"),
                ("stuck-creating", "InsufficientInstanceCapacity"),
            )
        ),
        *(
            (command, kind, cause)
            for command in ("update", "rollback")
            for kind, cause in (("rollback-empty-reason", "taken back"), ("update-rollback-failed", "UpdateRollbackFailed"))
        ),
    ],
)
def test_fleet_that_does_not_come_up_is_told_with_its_reason_and_leaves_nothing(
    sagemaker_cloud: SageMakerCloud, command: str, kind: str, cause: str
) -> None:
    # The endpoint that is stuck settles after 200 ms, until which it can neither be deleted nor updated.
    call = "sagemaker:CreateEndpoint" if command == "create" else "sagemaker:UpdateEndpoint"
    with open_play(sagemaker_cloud, command) as play:
        ending = suffer(sagemaker_cloud, play, _on(call, kind, seconds=0.2))
        assert ending.code in {"rolled-back", "endpoint-failed", "endpoint-not-ready"}
        assert cause in ending.said


@pytest.mark.parametrize(
    ("command", "resources"),
    [
        *(
            ("create", (kind,))
            for kind in ("model", "endpoint-config", "endpoint", "tags", "role", "model-package-group", "model-package")
        ),
        *(("update", (kind,)) for kind in ("model", "endpoint-config", "endpoint", "tags", "model-package")),
        *((command, ()) for command in COMMANDS),
    ],
)
def test_what_is_made_and_not_seen_yet_is_waited_for(
    sagemaker_cloud: SageMakerCloud, command: str, resources: tuple[str, ...]
) -> None:
    with open_play(sagemaker_cloud, command) as play:
        assert suffer(sagemaker_cloud, play, Rule(kind="consistency", resources=resources, seconds=0.3)).is_done


@pytest.mark.parametrize("in_progress", [False, True])
@pytest.mark.parametrize(
    ("command", "call"),
    [
        ("update", "DescribeEndpoint"),
        ("update", "UpdateEndpoint"),
        ("rollback", "UpdateEndpoint"),
        ("delete", "DeleteEndpoint"),
    ],
)
def test_change_by_somebody_else_meanwhile_is_survived(
    sagemaker_cloud: SageMakerCloud, command: str, call: str, *, in_progress: bool
) -> None:
    rule = Rule(kind="changed-by-someone", operation=call, in_progress=in_progress)
    with open_play(sagemaker_cloud, command) as play, is_served_throughout(sagemaker_cloud, play):
        sagemaker_cloud.script(rule)
        ending = play.act()
        sagemaker_cloud.script()
        assert ending.is_done or ending.code in {"plan-stale", "endpoint-busy"}
        complete(play)


@pytest.mark.parametrize("command", COMMANDS)
def test_slow_answers_are_waited_for(sagemaker_cloud: SageMakerCloud, command: str) -> None:
    kinds = ("slow", "slow-after")
    rules = [_on(call, kind, seconds=0.03) for call in (*CALLS[command], *LOOKS) for kind in kinds]
    with open_play(sagemaker_cloud, command) as play:
        assert suffer(sagemaker_cloud, play, *rules).is_done


@pytest.mark.parametrize(
    ("command", "call"),
    [
        ("update", "DescribeEndpoint"),
        ("update", "UpdateEndpoint"),
        ("rollback", "UpdateEndpoint"),
        ("delete", "DeleteEndpoint"),
    ],
)
def test_endpoint_that_aws_maintains_is_waited_for(sagemaker_cloud: SageMakerCloud, command: str, call: str) -> None:
    rule = Rule(kind="system-updating", operation=call, seconds=0.2)
    with open_play(sagemaker_cloud, command) as play:
        assert suffer(sagemaker_cloud, play, rule).is_done


@pytest.mark.parametrize(
    ("command", "call"),
    [("update", "UpdateEndpoint"), ("rollback", "UpdateEndpoint"), ("delete", "DeleteEndpoint")],
)
def test_endpoint_that_somebody_deletes_meanwhile_is_made_again_or_gone(
    sagemaker_cloud: SageMakerCloud, command: str, call: str
) -> None:
    # Nobody serves then, and so nobody is asked; what counts is that the command or the one after it makes all as it is to be.
    with open_play(sagemaker_cloud, command) as play:
        sagemaker_cloud.script(Rule(kind="deleted-by-someone", operation=call))
        ending = play.act()
        sagemaker_cloud.script()
        assert ending.is_done or ending.code in {"plan-stale", "endpoint-busy", "endpoint-failed"}, ending
        complete(play)
