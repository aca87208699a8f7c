"""A whole sandbox for tests: real containers or processes, real moto, boto3 clients, and what is left of it afterwards."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3

from dockyard_image import ImageStore, StoredImage
from dockyard_sandbox.local_cloud import LocalCloud, LocalCloudSettings, RunnerKind
from dockyard_sandbox.sandbox import Sandbox, SandboxSettings
from support.patience import wait_for

REGION = "us-east-1"
TRUST = {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}


@dataclass
class CloudBench:
    """A running sandbox, seen as a client of AWS sees it."""

    sandbox: Sandbox
    cloud: LocalCloud
    clients: dict[tuple[str, str], Any] = field(default_factory=dict)

    def client(self, service: str, region: str = REGION) -> Any:  # noqa: ANN401  boto3 makes its classes at run time
        """A boto3 client."""
        if (service, region) not in self.clients:
            self.clients[service, region] = boto3.client(
                service,
                region_name=region,
                endpoint_url=self.sandbox.url,
                aws_access_key_id="AKIATEST",
                aws_secret_access_key="test",
            )
        return self.clients[service, region]

    @property
    def address(self) -> str:
        """The registry's."""
        return self.sandbox.url.partition("//")[2]

    def login(self) -> dict[str, str]:
        """What a Docker client signs in with."""
        token = self.client("ecr").get_authorization_token()["authorizationData"][0]["authorizationToken"]
        user, _, password = base64.b64decode(token).decode().partition(":")
        return {"username": user, "password": password}

    def make_role(self, name: str = "sandbox-role", **changes: object) -> str:
        """A role that SageMaker may assume, unless `changes` to the statement say otherwise."""
        policy = json.dumps({"Version": "2012-10-17", "Statement": [{**TRUST, **changes}]})
        made = self.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=policy)
        return str(made["Role"]["Arn"])

    def put_image(self, store: ImageStore, image: StoredImage, repository: str = "wine") -> str:
        """Put an image into a new repository without HTTP; returns its address by digest."""
        uri = self.client("ecr").create_repository(repositoryName=repository)["repository"]["repositoryUri"]
        blobs = self.cloud.repositories.blobs
        for digest in (image.config_digest, *(layer.digest for layer in image.layers)):
            blobs.put(store.blobs.path(digest).read_bytes())
            self.cloud.repositories.add_blob(repository, digest)
        self.cloud.repositories.put_image(repository, store.blobs.read(image.digest), "", tag="v1")
        return f"{uri}@{image.digest}"

    def deploy(self, image: str, name: str = "wine", *, variant: dict[str, object] | None = None, **config: object) -> None:
        """A model, a configuration and an endpoint of one name that is in service."""
        sagemaker = self.client("sagemaker")
        container = {"Image": image, "Environment": {"STAND_IN_ANSWER": name}}
        sagemaker.create_model(ModelName=name, ExecutionRoleArn=self.make_role(f"role-{name}"), PrimaryContainer=container)
        instances = {"InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
        chosen = {"VariantName": "AllTraffic", "ModelName": name, **(variant or instances)}
        sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[chosen], **config)
        sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
        wait_for(lambda: self.status(name) != "Creating", seconds=60)
        assert self.status(name) == "InService", self.client("sagemaker").describe_endpoint(EndpointName=name)

    def status(self, name: str = "wine") -> str:
        """The endpoint's."""
        return str(self.client("sagemaker").describe_endpoint(EndpointName=name)["EndpointStatus"])

    def invoke(self, body: dict[str, object] | None = None, name: str = "wine", **more: object) -> dict[str, Any]:
        """What InvokeEndpoint returns; the body is decoded."""
        answer: dict[str, Any] = self.client("sagemaker-runtime").invoke_endpoint(
            EndpointName=name, ContentType="application/json", Body=json.dumps(body or {}), **more
        )
        return {**answer, "Body": json.loads(answer["Body"].read())}


@contextmanager
def open_cloud(folder: Path, runner: RunnerKind = "unpacked", **settings: Any) -> Iterator[CloudBench]:  # noqa: ANN401
    """A sandbox at the pace of tests; at the end it is shown that its folder is gone."""
    cloud = LocalCloud(LocalCloudSettings(folder=folder / "sandbox", cache=folder / "cache", runner=runner))
    with Sandbox(SandboxSettings(make_parts=cloud.make_parts, **{"grace_seconds": 2.0, **settings})) as sandbox:
        bench = CloudBench(sandbox=sandbox, cloud=cloud)
        yield bench
        for client in bench.clients.values():
            client.close()
        assert [event for event in sandbox.events.list_events() if event.kind == "defect"] == []
    assert not (folder / "sandbox").exists()
