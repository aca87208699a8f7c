"""What there is in the account of one deployment, as AWS itself lists it: where tests look for orphans."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from dockyard.adapters.sagemaker.session import Session
from dockyard.domain.sagemaker import derive_repository_name, derive_role_name, revision_name_stem
from support.sagemaker_scene import BUCKET

_PAGE = 100
"""How many are listed of the things whose names begin as the endpoint's does, where the service itself lists 10."""
SUPPLIES = {"group": 1, "repository": 1, "role": 1, "alarm": 2, "scaled": 1, "policy": 1}


def expect_things(revisions: int) -> dict[str, int]:
    """How many things of each kind there are of a deployment of so many revisions that serves."""
    return {"endpoint": 1, **dict.fromkeys(("model", "config", "package", "image", "data"), revisions), **SUPPLIES}


def count_things(things: list[tuple[str, str]]) -> dict[str, int]:
    """How many there are of each kind."""
    return dict(Counter(kind for kind, _ in things))


@dataclass(frozen=True, kw_only=True)
class Eyes:
    """Looks at the things of one endpoint."""

    session: Session
    endpoint: str

    def list_things(self) -> list[tuple[str, str]]:
        """Kind and name of all."""
        of_sagemaker = (*self._list_sagemaker(), *self._list_packages())
        return sorted([*of_sagemaker, *self._list_images(), *self._list_supplies(), *self._list_data()])

    def describe(self) -> Mapping[str, Any]:
        """The endpoint."""
        found: Mapping[str, Any] = self.session.client("sagemaker").describe_endpoint(EndpointName=self.endpoint)
        return found

    def read_image(self, config: str, things: list[tuple[str, str]]) -> str:
        """The digest of what a configuration runs; all that it is made of must be among the things that there are."""
        client = self.session.client("sagemaker")
        variant = client.describe_endpoint_config(EndpointConfigName=config)["ProductionVariants"][0]
        container = client.describe_model(ModelName=variant["ModelName"])["PrimaryContainer"]
        digest = str(container["Image"].rpartition("@")[2])
        data = container["ModelDataUrl"].removeprefix(f"s3://{BUCKET}/")
        assert ("image", digest) in things
        assert ("data", data) in things
        return digest

    def _list_sagemaker(self) -> Iterator[tuple[str, str]]:
        client, stem = self.session.client("sagemaker"), revision_name_stem(self.endpoint)
        wanted = {"NameContains": stem, "MaxResults": _PAGE}
        models = client.list_models(**wanted)["Models"]
        configs = client.list_endpoint_configs(**wanted)["EndpointConfigs"]
        endpoints = client.list_endpoints(**wanted)["Endpoints"]
        yield from (("model", one["ModelName"]) for one in models if self._is_ours(one["ModelName"]))
        yield from (("config", one["EndpointConfigName"]) for one in configs if self._is_ours(one["EndpointConfigName"]))
        yield from (("endpoint", one["EndpointName"]) for one in endpoints if one["EndpointName"] == self.endpoint)

    def _list_packages(self) -> Iterator[tuple[str, str]]:
        """By the group's name, which scenes make of their own."""
        client, group = self.session.client("sagemaker"), f"group-{self.endpoint}"
        groups = client.list_model_package_groups(NameContains=group, MaxResults=_PAGE)["ModelPackageGroupSummaryList"]
        versions = client.list_model_packages(ModelPackageGroupName=group, MaxResults=_PAGE)["ModelPackageSummaryList"]
        yield from (("group", group) for one in groups if one["ModelPackageGroupName"] == group)
        yield from (("package", one["ModelPackageArn"]) for one in versions)

    def _list_images(self) -> Iterator[tuple[str, str]]:
        client, name = self.session.client("ecr"), derive_repository_name(self.endpoint)
        try:
            images = client.list_images(repositoryName=name)["imageIds"]
        except ClientError:
            return
        yield "repository", name
        yield from (("image", digest) for digest in {one["imageDigest"] for one in images})

    def _list_supplies(self) -> Iterator[tuple[str, str]]:
        role = derive_role_name(self.endpoint)
        try:
            self.session.client("iam").get_role(RoleName=role)
            yield "role", role
        except ClientError:
            pass
        alarms = self.session.client("cloudwatch").describe_alarms(AlarmNamePrefix=f"dockyard-{self.endpoint}-")
        yield from (("alarm", one["AlarmName"]) for one in alarms["MetricAlarms"])
        scaling, resource = self.session.client("application-autoscaling"), f"endpoint/{self.endpoint}/variant/AllTraffic"
        targets = scaling.describe_scalable_targets(ServiceNamespace="sagemaker", ResourceIds=[resource])
        yield from (("scaled", one["ResourceId"]) for one in targets["ScalableTargets"])
        policies = scaling.describe_scaling_policies(ServiceNamespace="sagemaker", ResourceId=resource)
        yield from (("policy", one["PolicyName"]) for one in policies["ScalingPolicies"])

    def _list_data(self) -> Iterator[tuple[str, str]]:
        prefix = f"dockyard/{revision_name_stem(self.endpoint)}-"
        found = self.session.client("s3").list_objects_v2(Bucket=BUCKET, Prefix=prefix)
        yield from (("data", one["Key"]) for one in found.get("Contents", []) if self._is_ours(one["Key"].split("/")[1]))

    def _is_ours(self, name: str) -> bool:
        return name.rpartition("-")[0] == revision_name_stem(self.endpoint)
