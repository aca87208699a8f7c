"""The SageMaker SDK itself drives the sandbox: what a program that was written for AWS meets there.

The SDK lives in a Python of its own (`support.sagemaker_sdk`); `support.sdk_scenarios` is the program that runs in it.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from support.lab import ROOT
from support.sandbox_cloud import REGION, CloudBench, open_cloud
from support.sandbox_images import ACCOUNT, build_sandbox_stand_in
from support.sdk_scenarios import NAMES

pytestmark = pytest.mark.lab

BUCKET = "sdk-bucket"
NO_TELEMETRY = "SchemaVersion: '1.0'\nSageMaker: {PythonSDK: {Modules: {TelemetryOptOut: true}}}\n"
OPERATIONS = {
    *("CreateModel", "DescribeModel", "DeleteModel", "ListModels"),
    *("CreateEndpointConfig", "DescribeEndpointConfig", "DeleteEndpointConfig", "ListEndpointConfigs"),
    *("CreateEndpoint", "DescribeEndpoint", "UpdateEndpoint", "DeleteEndpoint", "ListEndpoints"),
    *("UpdateEndpointWeightsAndCapacities", "InvokeEndpoint"),
    *("CreateTransformJob", "DescribeTransformJob", "ListTransformJobs"),
    *("CreateModelPackageGroup", "DescribeModelPackageGroup", "DeleteModelPackageGroup", "ListModelPackageGroups"),
    *("CreateModelPackage", "DescribeModelPackage", "UpdateModelPackage", "DeleteModelPackage", "ListModelPackages"),
    *("CreateInferenceComponent", "DescribeInferenceComponent", "UpdateInferenceComponent", "DeleteInferenceComponent"),
    *("ListInferenceComponents", "UpdateInferenceComponentRuntimeConfig"),
}


@dataclass(frozen=True, kw_only=True)
class Drive:
    """What came of the program."""

    cloud: CloudBench
    failures: dict[str, str]
    output: str


@pytest.fixture(scope="module")
def drive(tmp_path_factory: pytest.TempPathFactory, sagemaker_sdk: Path) -> Iterator[Drive]:
    """One run of the program, whose imports take seconds."""
    folder = tmp_path_factory.mktemp("sdk")
    with open_cloud(folder) as cloud:
        image = cloud.put_image(*build_sandbox_stand_in(folder / "image"))
        cloud.client("s3").create_bucket(Bucket=BUCKET)
        given = {"image": image, "role": cloud.make_role(), "bucket": BUCKET, "region": REGION, "account": ACCOUNT}
        (folder / "config.yaml").write_text(NO_TELEMETRY)
        done = subprocess.run(
            [sagemaker_sdk, "-W", "ignore", "-m", "support.sdk_scenarios", json.dumps(given)],
            env={
                "HOME": str(folder),
                "PATH": os.environ["PATH"],
                "PYTHONPATH": f"{ROOT}/src:{ROOT}/tests",
                "SAGEMAKER_USER_CONFIG_OVERRIDE": str(folder / "config.yaml"),
                **cloud.sandbox.environment,
            },
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=250,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        yield Drive(cloud=cloud, failures=json.loads(done.stdout.splitlines()[-1]), output=done.stdout + done.stderr)


@pytest.mark.parametrize("name", sorted(NAMES))
def test_sdk_finds_what_it_finds_on_aws(drive: Drive, name: str) -> None:
    assert drive.failures[name] == ""


def test_every_operation_that_deployments_use_was_called_by_the_sdk(drive: Drive) -> None:
    called = {call.site.operation for call in drive.cloud.sandbox.calls.list_calls() if call.status < 300}
    assert called >= OPERATIONS


def test_no_call_met_a_defect_or_an_operation_that_the_sandbox_has_not(drive: Drive) -> None:
    wrong = [call for call in drive.cloud.sandbox.calls.list_calls() if call.status >= 500 and not call.fault]
    assert wrong == []


def test_scenarios_leave_nothing_behind(drive: Drive) -> None:
    sagemaker = drive.cloud.client("sagemaker")
    left = [
        *sagemaker.list_endpoints()["Endpoints"],
        *sagemaker.list_endpoint_configs()["EndpointConfigs"],
        *sagemaker.list_models()["Models"],
        *sagemaker.list_inference_components()["InferenceComponents"],
        *sagemaker.list_model_package_groups()["ModelPackageGroupSummaryList"],
    ]
    assert left == []
