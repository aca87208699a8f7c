"""A client built with the AWS SDK for Go drives the sandbox as Terraform's AWS provider drives AWS.

`go_client` is the program. For each scenario it tells what it saw; here is what it sees on AWS. A plan is a list of what would
have to be done: `create`, or the attributes that are not as wanted.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from support.sandbox_cloud import CloudBench, open_cloud
from support.sandbox_images import ACCOUNT, build_sandbox_stand_in

pytestmark = pytest.mark.lab

BUCKET = "go-bucket"
LIVES = (
    *("role", "repository", "bucket", "alarm", "model"),
    *("configuration", "shadow configuration", "serverless configuration"),
)
SCENARIOS = (
    *LIVES,
    *("identity", "endpoint", "replacement", "scaling", "tags", "pages"),
    *("failed creation", "update taken back", "update alarmed", "deleted by someone", "refusals"),
    *("throttling", "throttled for good", "throttled neighbours", "denied", "internal errors", "lost answer"),
    *("young role", "late sight", "invocation", "stream", "asynchronous"),
)
NEIGHBOURS = ("sts", "iam", "s3", "ecr", "monitoring", "application-autoscaling")
OPERATIONS = {
    *("CreateModel", "DescribeModel", "DeleteModel", "ListModels", "AddTags", "ListTags", "DeleteTags"),
    *("CreateEndpointConfig", "DescribeEndpointConfig", "DeleteEndpointConfig"),
    *("CreateEndpoint", "DescribeEndpoint", "UpdateEndpoint", "DeleteEndpoint"),
    *("InvokeEndpoint", "InvokeEndpointWithResponseStream", "InvokeEndpointAsync"),
}


@dataclass(frozen=True, kw_only=True)
class Drive:
    """What came of the program."""

    cloud: CloudBench
    told: dict[str, dict[str, Any]]

    def saw(self, scenario: str) -> dict[str, Any]:
        """What a scenario saw."""
        seen: dict[str, Any] = self.told[scenario]["saw"]
        return seen


@pytest.fixture(scope="module")
def drive(tmp_path_factory: pytest.TempPathFactory, go_client: Path) -> Iterator[Drive]:
    """One run of the program: its scenarios, one after the other, take some ten seconds."""
    folder = tmp_path_factory.mktemp("go")
    with open_cloud(folder) as cloud:
        image = cloud.put_image(*build_sandbox_stand_in(folder / "image"))
        cloud.client("s3").create_bucket(Bucket=BUCKET)
        given = {"image": image, "role": cloud.make_role(), "bucket": BUCKET, "account": ACCOUNT}
        cloud.sandbox.calls.clear()
        done = subprocess.run(
            [go_client, json.dumps(given)],
            env={"HOME": str(folder), "PATH": os.environ["PATH"], **cloud.sandbox.environment},
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=250,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        told = [json.loads(line) for line in done.stdout.splitlines()]
        yield Drive(cloud=cloud, told={one["scenario"]: one for one in told})


@pytest.mark.parametrize("name", SCENARIOS)
def test_nothing_stops_a_scenario(drive: Drive, name: str) -> None:
    assert drive.told[name]["error"] == ""


def test_every_scenario_is_looked_at(drive: Drive) -> None:
    assert set(drive.told) == set(SCENARIOS)


@pytest.mark.parametrize("name", LIVES)
def test_resource_is_read_as_it_was_asked_for_and_a_second_plan_is_empty(drive: Drive, name: str) -> None:
    seen = drive.saw(name)
    assert seen["plan before"] == ["create"]
    assert seen["read"] == seen["asked"]
    assert seen["plan after creation"] == []


@pytest.mark.parametrize("name", [*LIVES, "endpoint"])
def test_deleted_resource_is_known_to_be_absent_and_deleting_it_again_is_no_error(drive: Drive, name: str) -> None:
    assert drive.saw(name)["plan after deletion"] == ["create"]


def test_provider_learns_its_account(drive: Drive) -> None:
    assert drive.saw("identity") == {"account": ACCOUNT}


def test_role_with_a_policy_is_not_deleted_before_its_policy(drive: Drive) -> None:
    seen = drive.saw("role")
    assert (seen["a role with a policy is in the way"], seen["policies"]) == (True, ["read"])


def test_absent_policies_of_a_repository_are_errors_of_their_own_types(drive: Drive) -> None:
    seen = drive.saw("repository")
    assert (seen["no lifecycle policy"], seen["no repository policy"]) == (True, True)
    assert seen["lifecycle policy"]["rules"][0]["action"] == {"type": "expire"}


# Endpoints


@pytest.mark.parametrize("change", ["creation", "canary", "rolling"])
def test_endpoint_has_no_drift_after(drive: Drive, change: str) -> None:
    seen = drive.saw("endpoint")
    assert seen[f"plan after {change}"] == []
    assert seen[f"read after {change}"]["Tags"] == {"team": "pricing"}


def test_canary_with_alarms_is_remembered_until_the_next_update(drive: Drive) -> None:
    seen = drive.saw("endpoint")
    assert seen["read after canary"]["DeploymentConfig"] == {
        "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": "go-life"}]},
        "BlueGreenUpdatePolicy": {
            "MaximumExecutionTimeoutInSeconds": 1800,
            "TerminationWaitInSeconds": 0,
            "TrafficRoutingConfiguration": {
                "CanarySize": {"Type": "CAPACITY_PERCENT", "Value": 50},
                "Type": "CANARY",
                "WaitIntervalInSeconds": 60,
            },
        },
    }
    assert set(seen["read after rolling"]["DeploymentConfig"]) == {"RollingUpdatePolicy"}


def test_changed_configuration_and_strategy_are_all_that_is_planned(drive: Drive) -> None:
    seen = drive.saw("endpoint")
    assert seen["plan before canary"] == ["EndpointConfigName"]
    assert seen["plan before rolling"] == ["DeploymentConfig", "EndpointConfigName"]


def test_update_to_more_instances_has_them_when_the_waiter_returns(drive: Drive) -> None:
    seen = drive.saw("endpoint")
    assert [seen[f"instances after {change}"] for change in ("creation", "canary", "rolling")] == [[1, 1], [1, 1], [2, 2]]


def test_times_are_of_this_minute_in_whatever_part_of_a_second(drive: Drive) -> None:
    seen = drive.saw("endpoint")
    created, canary, rolling = (
        [datetime.fromisoformat(text.replace("Z", "+00:00")) for text in seen[f"times after {change}"]]
        for change in ("creation", "canary", "rolling")
    )
    assert created[0] == canary[0] == rolling[0]
    assert created[0] < created[2] < created[1] < canary[1] < rolling[1]
    assert 0 <= (datetime.now(timezone.utc) - created[0]).total_seconds() < 300


def test_successor_is_made_before_the_predecessor_is_deleted_and_serves(drive: Drive) -> None:
    assert drive.saw("replacement") == {"plan after replacement": [], "answer": "go-new"}


def test_scaling_follows_the_endpoint_and_has_no_drift(drive: Drive) -> None:
    seen = drive.saw("scaling")
    assert seen["plan after registration"] == []
    assert (seen["policy"]["plan before"], seen["policy"]["plan after creation"]) == (["create"], [])
    assert seen["policy"]["plan after deletion"] == seen["target"]["plan after deletion"] == ["create"]


def test_endpoint_that_fails_ends_the_waiter_and_is_replaced(drive: Drive) -> None:
    seen = drive.saw("failed creation")
    assert (seen["waiter"], seen["status"]) == ("waiter state transitioned to Failure", "Failed")
    assert "did not pass the ping health check" in seen["reason"]
    assert "it can only be deleted" in seen["update"]
    assert seen["plan after replacement"] == []


def test_update_that_was_taken_back_satisfies_the_waiter_and_is_planned_again(drive: Drive) -> None:
    assert drive.saw("update taken back") == {
        "waiter": "",
        "plan after update": ["EndpointConfigName"],
        "plan after second update": [],
    }


def test_update_under_a_raised_alarm_is_taken_back_and_says_why(drive: Drive) -> None:
    seen = drive.saw("update alarmed")
    assert (seen["waiter"], seen["configuration"]) == ("", "go-alarmed")
    assert "go-alarmed" in seen["reason"]


def test_endpoint_that_someone_else_deleted_is_planned_and_made_again(drive: Drive) -> None:
    seen = drive.saw("deleted by someone")
    assert seen["told"].startswith('ValidationException: Could not find endpoint "arn:aws:sagemaker:us-east-1:')
    assert (seen["plan"], seen["plan after creation"]) == (["create"], [])


# Tags, lists and refusals


def test_tags_change_by_what_is_added_and_taken_away(drive: Drive) -> None:
    seen = drive.saw("tags")
    assert seen["tags"] == {"team": "risk", "owner": ""}
    assert sum(seen["pages"]) == 47


def test_paginator_goes_over_all_pages_in_order(drive: Drive) -> None:
    assert drive.saw("pages") == {"pages": [10, 10, 3], "sorted": True, "models": 23}


@pytest.mark.parametrize(
    ("call", "words"),
    [
        ("describe model", 'ValidationException: Could not find model "arn:'),
        ("describe configuration", 'ValidationException: Could not find endpoint configuration "arn:'),
        ("describe endpoint", 'ValidationException: Could not find endpoint "arn:'),
        ("delete endpoint", 'ValidationException: Could not find endpoint "arn:'),
        ("tags of nothing", 'ValidationException: Could not find resource "arn:'),
        ("existing model", 'ValidationException: Cannot create already existing model "arn:'),
        ("illegal name", "ValidationException: 1 validation error detected: Value 'my_first_model' at 'modelName'"),
        ("quota", "ResourceLimitExceeded: The account-level service limit 'ml.p4d.24xlarge for endpoint usage' is 0"),
        ("an update at work", 'ValidationException: Cannot update in-progress endpoint "arn:'),
    ],
)
def test_refusal_has_the_code_and_the_words_that_providers_look_for(drive: Drive, call: str, words: str) -> None:
    assert drive.saw("refusals")[call].startswith(words)


def test_error_that_the_sdk_has_a_type_for_is_of_that_type(drive: Drive) -> None:
    assert drive.saw("refusals")["quota is typed"] is True


# Faults


def test_throttled_call_is_repeated_by_the_sdk_until_it_is_answered(drive: Drive) -> None:
    seen = drive.saw("throttling")
    assert (seen["attempts"], len(seen["request id"])) == (4, 36)


def test_sdk_gives_throttling_up_after_its_attempts_with_the_id_of_the_last_request(drive: Drive) -> None:
    told = {"told": "ThrottlingException: Rate exceeded", "attempts": 5, "status": 400, "has request id": True}
    assert drive.saw("throttled for good") == told


@pytest.mark.parametrize("service", NEIGHBOURS)
def test_throttling_is_understood_in_the_protocol_of(drive: Drive, service: str) -> None:
    code = "Throttling" if service in {"sts", "iam", "s3"} else "ThrottlingException"
    told = {"attempts": 3, "has request id": True, "told": f"{code}: Rate exceeded"}
    assert drive.saw("throttled neighbours")[service] == told


def test_expired_token_and_denied_access_keep_their_codes(drive: Drive) -> None:
    assert drive.saw("denied") == {"expired-token": "ExpiredTokenException", "access-denied": "AccessDeniedException"}


def test_call_without_effect_is_repeated_and_one_with_effect_meets_what_it_has_made(drive: Drive) -> None:
    seen = drive.saw("internal errors")
    assert (seen["error-before"], seen["reset-before"]) == (2, 2)
    assert seen["error-after"].startswith("ValidationException: Cannot create already existing endpoint configuration")


def test_model_whose_answer_was_lost_exists_as_it_was_asked_for(drive: Drive) -> None:
    seen = drive.saw("lost answer")
    assert seen["told"].startswith("ValidationException: Cannot create already existing model")
    assert seen["plan"] == []


def test_young_role_is_refused_until_sagemaker_sees_it(drive: Drive) -> None:
    assert drive.saw("young role")["refusals"].startswith("ValidationException: Could not assume role arn:aws:iam::")


def test_what_is_not_seen_yet_is_missing_for_a_while_and_not_longer(drive: Drive) -> None:
    seen = drive.saw("late sight")
    assert seen["configuration"].startswith("ValidationException: Could not find model")
    assert seen["endpoint"].startswith("ValidationException: Could not find endpoint configuration")
    assert seen["waiter"] == "waiter state transitioned to Failure"
    assert seen["described"].startswith('ValidationException: Could not find endpoint "')
    assert seen["plan"] == []


# The data plane


def test_endpoint_answers_through_the_sdk_also_after_throttling(drive: Drive) -> None:
    seen = drive.saw("invocation")
    assert (seen["answer"], seen["answer after throttling"], seen["variant"]) == ("go-invoked", "go-invoked", "AllTraffic")


def test_errors_of_the_data_plane_are_of_the_sdks_types_with_all_their_members(drive: Drive) -> None:
    seen = drive.saw("invocation")
    assert (seen["unknown variant is typed"], seen["unknown endpoint is typed"]) == (True, True)
    assert seen["unknown endpoint"] == f"ValidationError: Endpoint go-none of account {ACCOUNT} not found."
    error = seen["model error"]
    assert (error["status"], error["told"].startswith("Received server error (0) from primary")) == (0, True)
    assert f":{ACCOUNT}:log-group:/aws/sagemaker/Endpoints/go-invoked:log-stream:AllTraffic/i-" in error["stream"]


def test_streamed_answer_is_read_event_by_event(drive: Drive) -> None:
    assert (drive.saw("stream")["answer"], drive.saw("stream")["variant"]) == ("go-streamed", "AllTraffic")


def test_asynchronous_answer_comes_to_where_the_sdk_was_told(drive: Drive) -> None:
    assert drive.saw("asynchronous") == {"has inference id": True, "bytes": True, "answer": "go-async"}


# All of it


def test_all_calls_were_understood(drive: Drive) -> None:
    calls = drive.cloud.sandbox.calls.list_calls()
    misread = [call for call in calls if call.error in {"SerializationException", "UnknownOperationException"}]
    broken = [call for call in calls if call.status >= 500 and not call.fault]
    assert (misread, broken) == ([], [])
    assert {call.site.operation for call in calls if call.status < 300} >= OPERATIONS


def test_scenarios_leave_nothing_behind(drive: Drive) -> None:
    sagemaker, cloud = drive.cloud.client("sagemaker"), drive.cloud
    left = [
        *sagemaker.list_endpoints()["Endpoints"],
        *sagemaker.list_endpoint_configs()["EndpointConfigs"],
        *sagemaker.list_models()["Models"],
        *cloud.client("cloudwatch").describe_alarms()["MetricAlarms"],
        *[one for one in cloud.client("iam").list_roles()["Roles"] if one["RoleName"].startswith("go-")],
        *[one for one in cloud.client("ecr").describe_repositories()["repositories"] if one["repositoryName"] != "wine"],
    ]
    assert left == []
