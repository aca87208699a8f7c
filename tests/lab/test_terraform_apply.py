"""What is applied, changed, destroyed: the stand-in provider works on the sandbox, which runs a real image.

The example `endpoint`, and an endpoint that `dockyard render terraform` wrote.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from operator import itemgetter
from pathlib import Path
from typing import Any

import jmespath
import pytest
import yaml

from dockyard.adapters.config_model import Configuration
from dockyard.adapters.files import write_file
from dockyard.adapters.sagemaker import requests
from dockyard.adapters.terraform.renderer import TerraformRenderer
from dockyard.domain.image import ImageDigest
from dockyard.domain.rendering import ModuleShape
from dockyard.domain.sagemaker import (
    AlarmPolicy,
    Instances,
    Rollout,
    RolloutKind,
    SageMakerPolicy,
    Scaling,
    ScheduledCapacity,
    derive_endpoint_name,
)
from dockyard.domain.sagemaker_blueprint import EndpointBlueprint
from dockyard.domain.sagemaker_capture import DataCapture
from dockyard.domain.sagemaker_steps import CreateEndpointConfig, CreateModel, CreateShadowConfig, UpdateEndpoint
from support.provider_backend import serve_backend
from support.sandbox_cloud import CloudBench, open_cloud
from support.sandbox_images import build_sandbox_stand_in
from support.terraform import TOOLS, Terraform
from support.terraform_values import make_blueprint
from terraform_test import TERRAFORM

pytestmark = pytest.mark.lab
BUCKET = "team-models"
SETTINGS: dict[str, object] = {
    "capacity": Instances(instance_type="ml.c5.large", count=2),
    "env": (("GREETING", 'say "${hello}"'),),
    "startup_timeout_seconds": 600,
    "data_capture": DataCapture(destination="s3://captured/wine", percent=10),
    "tags": (("team", "wine"),),
}
POLICY = SageMakerPolicy(
    rollout=Rollout(kind=RolloutKind.CANARY),
    alarms=AlarmPolicy(error_percent=0.5, latency_ms=250, period_seconds=30, periods=2),
    scaling=Scaling(
        minimum=1,
        maximum=3,
        invocations_per_instance=600,
        schedule=(ScheduledCapacity(name="night", schedule="cron(0 22 * * ? *)", minimum=1, maximum=1),),
    ),
)
IN_SHADOW = replace(POLICY, rollout=Rollout(kind=RolloutKind.SHADOW, shadow_percent=50))
NAMES = {"ModelName", "EndpointConfigName", "PolicyName", "AlarmDescription", "Tags"}
"""What is called otherwise than after a deploy; tags are not among what is described."""
LISTS = {
    "alarms": ("cloudwatch", "describe_alarms", "MetricAlarms[].AlarmName"),
    "aliases": ("kms", "list_aliases", "Aliases[?!starts_with(AliasName, 'alias/aws/')].AliasName"),
    "buckets": ("s3", "list_buckets", "Buckets[].Name"),
    "configurations": ("sagemaker", "list_endpoint_configs", "EndpointConfigs[].EndpointConfigName"),
    "endpoints": ("sagemaker", "list_endpoints", "Endpoints[].EndpointName"),
    "models": ("sagemaker", "list_models", "Models[].ModelName"),
    "repositories": ("ecr", "describe_repositories", "repositories[?repositoryName!='wine'].repositoryName"),
    "roles": ("iam", "list_roles", "Roles[].RoleName"),
}
"""What the example makes, and how an account tells; the repository `wine` is the test's own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """What there was after a command: outputs, the account's things, the endpoint; `plan` is 0 where nothing was left to do."""

    outputs: dict[str, Any]
    things: dict[str, list[str]]
    endpoint: dict[str, Any]
    plan: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """The example's, with one of the tools."""

    made: Moment
    bucket: dict[str, Any]
    changed: Moment
    left: dict[str, list[str]]
    differences: dict[str, str | None]
    """Where the rendered endpoint is not as `deploy sagemaker` would have made it."""
    rollouts: tuple[dict[str, Any], dict[str, Any]]
    """How its update went, and how a deploy's would have."""
    shadow: str | None
    """Where the variant in the shadow is not as a deploy would have made it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """The example in a folder of its own."""

    terraform: Terraform
    tool: str
    folder: Path
    cloud: CloudBench

    def run(self, *arguments: str) -> str:
        """Run a command that has to do its work."""
        said = self.terraform.run(self.tool, *arguments, folder=self.folder)
        assert said.code == 0, said.text
        return said.text

    def apply(self, *given: str) -> Moment:
        """Apply, and look around."""
        self.run("apply", "-auto-approve", *given)
        outputs = json.loads(self.run("output", "-json"))
        planned = self.terraform.run(self.tool, "plan", "-detailed-exitcode", *given, folder=self.folder)
        return Moment(
            outputs={name: one["value"] for name, one in outputs.items()},
            things=self.list_things(),
            endpoint=self.cloud.client("sagemaker").describe_endpoint(EndpointName="prod-wine"),
            plan=planned.code,
        )

    def list_things(self) -> dict[str, list[str]]:
        """The names of all that there is in the account."""
        return {
            name: jmespath.search(path, getattr(self.cloud.client(service), call)())
            for name, (service, call, path) in LISTS.items()
        }

    def look_at_bucket(self) -> dict[str, Any]:
        """What S3 says about the bucket."""
        s3 = self.cloud.client("s3")
        return {
            "public": s3.get_public_access_block(Bucket=BUCKET)["PublicAccessBlockConfiguration"],
            "policy": json.loads(s3.get_bucket_policy(Bucket=BUCKET)["Policy"])["Statement"],
            "versions": s3.get_bucket_versioning(Bucket=BUCKET)["Status"],
            "rules": s3.get_bucket_lifecycle_configuration(Bucket=BUCKET)["Rules"],
            "encryption": s3.get_bucket_encryption(Bucket=BUCKET)["ServerSideEncryptionConfiguration"]["Rules"],
        }


def find_differences(cloud: CloudBench, blueprint: EndpointBlueprint) -> dict[str, str | None]:
    """Where a thing of the endpoint is not as a deploy asks for it; what both name after its content aside."""
    key, spec, endpoint = blueprint.key, blueprint.spec, derive_endpoint_name(blueprint.key.environment, blueprint.key.name)
    sagemaker, scaling = cloud.client("sagemaker"), cloud.client("application-autoscaling")
    config = sagemaker.describe_endpoint(EndpointName=endpoint)["EndpointConfigName"]
    config = sagemaker.describe_endpoint_config(EndpointConfigName=config)
    name = config["ProductionVariants"][0]["ModelName"]
    model = sagemaker.describe_model(ModelName=name)
    alarms = cloud.client("cloudwatch").describe_alarms()["MetricAlarms"]
    there = {
        "PutScalingPolicy": scaling.describe_scaling_policies(ServiceNamespace="sagemaker")["ScalingPolicies"],
        "PutScheduledAction": scaling.describe_scheduled_actions(ServiceNamespace="sagemaker")["ScheduledActions"],
        "RegisterScalableTarget": scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"],
    }
    assert blueprint.policy.alarms is not None
    assert blueprint.policy.scaling is not None
    asked = {
        "model": (requests.create_model(key, CreateModel(number=1, name=name, spec=spec), blueprint.image), model),
        "config": (requests.create_endpoint_config(key, CreateEndpointConfig(number=1, name=name, spec=spec)), config),
        **{
            one["AlarmName"]: (one, next(alarm for alarm in alarms if alarm["AlarmName"] == one["AlarmName"]))
            for one in requests.put_alarms(key, endpoint, blueprint.policy.alarms)
        },
        **{
            operation: (one, there[operation][0])
            for _, operation, one in requests.put_scaling(endpoint, blueprint.policy.scaling)
        },
    }
    return {thing: requests.differs(_without_names(wanted), _sort_metrics(there)) for thing, (wanted, there) in asked.items()}


def compare_rollouts(cloud: CloudBench, blueprint: EndpointBlueprint) -> tuple[dict[str, Any], dict[str, Any]]:
    """How the last update went, and how a deploy's would have."""
    there = cloud.client("sagemaker").describe_endpoint(EndpointName="wine")["LastDeploymentConfig"]
    step = UpdateEndpoint(
        endpoint="wine",
        config="new",
        number=2,
        previous_config="old",
        rollout=blueprint.policy.rollout,
        alarms=blueprint.policy.alarms,
        keeps_counts=False,
    )
    return there, requests.update_endpoint(step)["DeploymentConfig"]


def find_shadow_difference(cloud: CloudBench, blueprint: EndpointBlueprint) -> str | None:
    """Where the configuration with a shadow is not as a deploy asks for it."""
    sagemaker, spec = cloud.client("sagemaker"), blueprint.spec
    step = CreateShadowConfig(
        name="both", production="one", production_spec=spec, shadow="other", shadow_spec=spec,
        percent=blueprint.policy.rollout.shadow_percent,
    )  # fmt: skip
    config = sagemaker.describe_endpoint(EndpointName="wine")["EndpointConfigName"]
    (there,) = sagemaker.describe_endpoint_config(EndpointConfigName=config)["ShadowProductionVariants"]
    (wanted,) = requests.create_shadow_config(blueprint.key, step)["ShadowProductionVariants"]
    return requests.differs({**wanted, "ModelName": there["ModelName"]}, there)


def _without_names(wanted: dict[str, Any]) -> dict[str, Any]:
    return _sort_metrics({name: one for name, one in wanted.items() if name not in NAMES})


def _sort_metrics(alarm: dict[str, Any]) -> dict[str, Any]:
    """Queries of an alarm are a set to Terraform."""
    return {name: sorted(one, key=itemgetter("Id")) if name == "Metrics" else one for name, one in alarm.items()}


def apply_rendered(stack: Stack, blueprint: EndpointBlueprint) -> None:
    """Render, and apply what was rendered."""
    files = TerraformRenderer().render_files(blueprint, ModuleShape(source="../terraform/modules/endpoint"))
    write_file(stack.folder / "main.tf", files["main.tf"])
    stack.run("get")
    stack.run("fmt", "-check")
    stack.run("apply", "-auto-approve")


@pytest.fixture(scope="module", params=TOOLS)
def life(request: pytest.FixtureRequest, terraform: Terraform, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Life]:
    """Made, changed and destroyed, once for all tests."""
    folder = tmp_path_factory.mktemp("applied")
    shutil.copytree(TERRAFORM, folder / "terraform")
    example = folder / "terraform" / "examples" / "endpoint"
    with open_cloud(folder) as cloud, serve_backend(cloud) as url:
        told = replace(terraform, environ={**terraform.environ, "STAND_IN_BACKEND": url})
        stack = Stack(terraform=told, tool=request.param, folder=example, cloud=cloud)
        image = cloud.put_image(*build_sandbox_stand_in(folder / "image"))
        given = (f"-var=bucket={BUCKET}", f"-var=image={image}")
        stack.run("get")
        made, bucket = stack.apply(*given), stack.look_at_bucket()
        changed = stack.apply(*given, "-var=instance_type=ml.c5.large")
        stack.run("destroy", "-auto-approve", *given)
        left = stack.list_things()
        rendered = replace(stack, folder=folder / "rendered")
        blueprint = make_blueprint(POLICY, ImageDigest(image), **{**SETTINGS, "role": cloud.make_role()})
        apply_rendered(rendered, blueprint)
        differences = find_differences(cloud, blueprint)
        other = replace(blueprint, spec=replace(blueprint.spec, settings=replace(blueprint.spec.settings, env=())))
        apply_rendered(rendered, other)
        rollouts = compare_rollouts(cloud, other)
        in_shadow = replace(other, policy=IN_SHADOW, shadow=other.image)
        apply_rendered(rendered, in_shadow)
        yield Life(
            made=made,
            bucket=bucket,
            changed=changed,
            left=left,
            differences=differences,
            rollouts=rollouts,
            shadow=find_shadow_difference(cloud, in_shadow),
        )


def test_endpoint_serves_and_a_second_plan_is_empty(life: Life) -> None:
    assert life.made.endpoint["EndpointStatus"] == "InService"
    assert life.made.endpoint["EndpointArn"] == life.made.outputs["endpoint_arn"]
    assert life.made.things["alarms"][:1] == ["dockyard-prod-wine-errors"]
    assert life.made.plan == 0


def test_bucket_is_private_encrypted_and_versioned(life: Life) -> None:
    assert set(life.bucket["public"].values()) == {True}
    assert {one["Effect"] for one in life.bucket["policy"]} == {"Deny"}
    assert life.bucket["versions"] == "Enabled"
    assert [one["ID"] for one in life.bucket["rules"]] == ["versions", "uploads"]
    (rule,) = life.bucket["encryption"]
    assert rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"


def test_environment_that_is_put_out_is_one_of_dockyards(life: Life) -> None:
    configuration = Configuration.model_validate(yaml.safe_load(life.made.outputs["dockyard_environment"]))

    place = configuration.environments["prod"].sagemaker
    assert place is not None
    assert (place.bucket, place.create_role) == (f"s3://{BUCKET}", False)


def test_another_instance_type_updates_the_endpoint_and_leaves_nothing_of_the_old(life: Life) -> None:
    before, after = life.made.endpoint["EndpointConfigName"], life.changed.endpoint["EndpointConfigName"]

    assert before != after
    assert life.changed.endpoint["EndpointStatus"] == "InService"
    assert life.changed.endpoint["CreationTime"] == life.made.endpoint["CreationTime"]
    assert life.changed.things == {**life.made.things, "configurations": [after]}
    assert life.changed.plan == 0


def test_rendered_endpoint_is_the_one_that_a_deploy_makes(life: Life) -> None:
    scaling = {"PutScalingPolicy", "PutScheduledAction", "RegisterScalableTarget"}
    assert life.differences.keys() == scaling | {"config", "dockyard-wine-errors", "dockyard-wine-latency", "model"}
    assert set(life.differences.values()) == {None}, life.differences


def test_rendered_endpoint_is_updated_as_a_deploy_updates_it(life: Life) -> None:
    there, wanted = life.rollouts
    assert there == wanted


def test_rendered_shadow_is_the_one_that_a_deploy_makes(life: Life) -> None:
    assert life.shadow is None


def test_nothing_is_left_after_destroy(life: Life) -> None:
    assert life.left == {name: [] for name in LISTS}
