"""ECR's control calls tell what was really pushed, in the shapes and words of the service."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path

import pytest

from dockyard_image.blobs import Blobs
from dockyard_image.digest import digest_bytes
from dockyard_image.manifest import Descriptor, Manifest, encode_manifest
from dockyard_image.media import media_types
from dockyard_sandbox.ecr import Ecr
from dockyard_sandbox.ecr_service import EcrService
from dockyard_sandbox.fields import Fields, as_fields
from dockyard_sandbox.registry_tokens import RegistryTokens
from dockyard_sandbox.repositories import Repositories
from dockyard_sandbox.routes import HttpRequest
from dockyard_sandbox.shapes import Shapes

ACCOUNT, ADDRESS, REGION = "123456789012", "127.0.0.1:4566", "eu-central-1"
ARN = f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/team/wine"
TYPES = media_types("docker")
SIGNED = f"AWS4-HMAC-SHA256 Credential=KEY/20260304/{REGION}/ecr/aws4_request, Signature=0"
NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=timezone.utc)


class Bench:
    """ECR with the repository `team/wine`."""

    def __init__(self, folder: Path) -> None:
        self.repositories = Repositories(Blobs(folder), account=ACCOUNT, clock=lambda: NOW)
        self.service = EcrService(self.repositories, RegistryTokens(lambda: NOW), address=ADDRESS)
        self.call("CreateRepository", repositoryName="team/wine")

    def send(self, operation: str, body: Mapping[str, object]) -> tuple[int, Fields]:
        target = f"AmazonEC2ContainerRegistry_V20150921.{operation}"
        request = HttpRequest(
            method="POST", path="/", headers={"x-amz-target": target, "authorization": SIGNED}, body=json.dumps(body).encode()
        )
        answer = self.service.answer(request)
        return answer.status, as_fields(json.loads(answer.body))

    def call(self, operation: str, **body: object) -> Fields:
        status, answer = self.send(operation, body)
        assert status == 200, answer.plain()
        return answer

    def refuse(self, operation: str, **body: object) -> tuple[str, str]:
        status, answer = self.send(operation, body)
        assert status == 400
        return answer.text("__type"), answer.text("message")

    def manifest(self, layer: bytes) -> bytes:
        descriptors = []
        for content, kind in ((b"{}", TYPES.config), (layer, TYPES.layer_gzip)):
            digest = self.repositories.blobs.put(content)
            self.repositories.add_blob("team/wine", digest)
            descriptors.append(Descriptor(media_type=kind, digest=digest, size=len(content)))
        return encode_manifest(Manifest(media_type=TYPES.manifest, config=descriptors[0], layers=(descriptors[1],)))

    def push(self, tag: str, layer: bytes = b"layer") -> str:
        return self.repositories.put_image("team/wine", self.manifest(layer), TYPES.manifest, tag=tag).digest


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_repository_is_told_with_an_address_that_takes_pushes(bench: Bench) -> None:
    made = bench.call("DescribeRepositories", repositoryNames=["team/wine"]).items_of("repositories")[0]
    assert made.plain() == {
        "repositoryArn": ARN,
        "registryId": ACCOUNT,
        "repositoryName": "team/wine",
        "repositoryUri": f"{ADDRESS}/team/wine",
        "createdAt": NOW.timestamp(),
        "imageTagMutability": "MUTABLE",
        "imageScanningConfiguration": {"scanOnPush": False},
        "encryptionConfiguration": {"encryptionType": "AES256"},
    }


def test_token_opens_the_registry_and_expires_in_twelve_hours(bench: Bench) -> None:
    data = bench.call("GetAuthorizationToken").items_of("authorizationData")[0]
    assert base64.b64decode(data.text("authorizationToken")).startswith(b"AWS:")
    assert data.number("expiresAt") == NOW.timestamp() + 12 * 3600
    assert data.text("proxyEndpoint") == f"http://{ADDRESS}"


def test_second_repository_of_a_name_is_refused(bench: Bench) -> None:
    code, message = bench.refuse("CreateRepository", repositoryName="team/wine")
    assert code == "RepositoryAlreadyExistsException"
    assert message == f"The repository with name 'team/wine' already exists in the registry with id '{ACCOUNT}'"


@pytest.mark.parametrize("name", ["My_Model", "a", "a//b", "-a", "x" * 257])
def test_name_that_ecr_does_not_take_is_refused(bench: Bench, name: str) -> None:
    assert bench.refuse("CreateRepository", repositoryName=name)[0] == "InvalidParameterException"


def test_images_are_described_as_they_were_pushed(bench: Bench) -> None:
    digest = bench.push("v1")
    bench.push("latest")
    assert bench.call("DescribeImages", repositoryName="team/wine").items_of("imageDetails")[0].plain() == {
        "registryId": ACCOUNT,
        "repositoryName": "team/wine",
        "imageDigest": digest,
        "imageTags": ["latest", "v1"],
        "imageSizeInBytes": 5,
        "imagePushedAt": NOW.timestamp(),
        "imageManifestMediaType": TYPES.manifest,
        "artifactMediaType": TYPES.config,
    }


def test_missing_image_is_refused_when_described_and_a_failure_when_fetched(bench: Bench) -> None:
    code, message = bench.refuse("DescribeImages", repositoryName="team/wine", imageIds=[{"imageTag": "v9"}])
    assert code == "ImageNotFoundException"
    assert "{imageDigest:'null', imageTag:'v9'} does not exist within the repository with name 'team/wine'" in message
    answer = bench.call("BatchGetImage", repositoryName="team/wine", imageIds=[{"imageTag": "v9"}])
    assert [failure.text("failureCode") for failure in answer.items_of("failures")] == ["ImageNotFound"]


def test_manifest_comes_back_byte_for_byte(bench: Bench) -> None:
    digest = bench.push("v1")
    image = bench.call("BatchGetImage", repositoryName="team/wine", imageIds=[{"imageTag": "v1"}]).items_of("images")[0]
    assert digest_bytes(image.text("imageManifest").encode()) == digest
    assert image.child("imageId") == {"imageDigest": digest, "imageTag": "v1"}


def test_put_image_gives_an_image_another_tag_once(bench: Bench) -> None:
    digest = bench.push("v1")
    manifest = bench.manifest(b"layer").decode()
    request = {"repositoryName": "team/wine", "imageManifest": manifest, "imageTag": "live-1"}
    request["imageManifestMediaType"] = TYPES.manifest
    assert bench.call("PutImage", **request).child("image").child("imageId").text("imageDigest") == digest
    assert bench.refuse("PutImage", **request)[0] == "ImageAlreadyExistsException"
    assert bench.repositories.find("team/wine").tags == {"v1": digest, "live-1": digest}


def test_immutable_tag_is_refused_by_put_image_too(bench: Bench) -> None:
    bench.call("PutImageTagMutability", repositoryName="team/wine", imageTagMutability="IMMUTABLE")
    bench.push("v1")
    manifest = bench.manifest(b"other").decode()
    code, _ = bench.refuse("PutImage", repositoryName="team/wine", imageManifest=manifest, imageTag="v1")
    assert code == "ImageTagAlreadyExistsException"


def test_settings_of_a_repository_change(bench: Bench) -> None:
    wanted = {"scanOnPush": True}
    bench.call("PutImageScanningConfiguration", repositoryName="team/wine", imageScanningConfiguration=wanted)
    filters = [{"filterType": "WILDCARD", "filter": "live-*"}]
    bench.call(
        "PutImageTagMutability",
        repositoryName="team/wine",
        imageTagMutability="IMMUTABLE_WITH_EXCLUSION",
        imageTagMutabilityExclusionFilters=filters,
    )
    (told,) = bench.call("DescribeRepositories").items_of("repositories")
    assert told.child("imageScanningConfiguration") == wanted
    assert told.text("imageTagMutability") == "IMMUTABLE_WITH_EXCLUSION"
    assert [one.plain() for one in told.items_of("imageTagMutabilityExclusionFilters")] == filters


def test_image_goes_with_its_last_tag(bench: Bench) -> None:
    digest = bench.push("v1")
    bench.push("v2")
    deleted = bench.call("BatchDeleteImage", repositoryName="team/wine", imageIds=[{"imageTag": "v1"}]).items_of("imageIds")
    assert [one.plain() for one in deleted] == [{"imageTag": "v1", "imageDigest": digest}]
    assert len(bench.call("DescribeImages", repositoryName="team/wine").items_of("imageDetails")) == 1
    bench.call("BatchDeleteImage", repositoryName="team/wine", imageIds=[{"imageTag": "v2"}])
    assert bench.call("DescribeImages", repositoryName="team/wine").items_of("imageDetails") == ()


def test_deleting_by_digest_takes_all_tags_and_failures_are_told_apart(bench: Bench) -> None:
    digest = bench.push("v1")
    bench.push("v2")
    wanted = [{"imageDigest": digest}, {"imageTag": "v9"}, {}]
    answer = bench.call("BatchDeleteImage", repositoryName="team/wine", imageIds=wanted)
    assert [one.text("imageTag") for one in answer.items_of("imageIds")] == ["v1", "v2"]
    assert [one.text("failureCode") for one in answer.items_of("failures")] == ["ImageNotFound", "MissingDigestAndTag"]
    assert bench.repositories.find("team/wine").images == {}


def test_tag_and_digest_that_do_not_belong_together_are_a_failure(bench: Bench) -> None:
    bench.push("v1")
    other = bench.push("v2", b"other")
    wanted = [{"imageDigest": other, "imageTag": "v1"}]
    answer = bench.call("BatchGetImage", repositoryName="team/wine", imageIds=wanted)
    assert [one.text("failureCode") for one in answer.items_of("failures")] == ["ImageTagDoesNotMatchDigest"]


def test_images_are_listed_by_whether_they_have_tags_in_pages(bench: Bench) -> None:
    bench.push("v1", b"one")
    bench.push("v1", b"two")
    bench.push("v2", b"three")

    def count(status: str) -> int:
        answer = bench.call("ListImages", repositoryName="team/wine", filter={"tagStatus": status})
        return len(answer.items_of("imageIds"))

    assert (count("TAGGED"), count("UNTAGGED"), count("ANY")) == (2, 1, 3)
    first = bench.call("ListImages", repositoryName="team/wine", maxResults=2)
    rest = bench.call("ListImages", repositoryName="team/wine", maxResults=2, nextToken=first.text("nextToken"))
    assert (len(first.items_of("imageIds")), len(rest.items_of("imageIds")), "nextToken" in rest) == (2, 1, False)
    assert bench.refuse("ListImages", repositoryName="team/wine", nextToken="what")[0] == "InvalidParameterException"


def test_layers_are_available_once_they_were_sent(bench: Bench) -> None:
    bench.push("v1")
    digests = [digest_bytes(b"layer"), digest_bytes(b"never sent")]
    answer = bench.call("BatchCheckLayerAvailability", repositoryName="team/wine", layerDigests=digests)
    assert [one.text("layerDigest") for one in answer.items_of("layers")] == digests[:1]
    assert [one.text("layerDigest") for one in answer.items_of("failures")] == digests[1:]


@pytest.mark.parametrize(
    ("put", "kind", "text_name"),
    [
        ("PutLifecyclePolicy", "LifecyclePolicy", "lifecyclePolicyText"),
        ("SetRepositoryPolicy", "RepositoryPolicy", "policyText"),
    ],
)
def test_policies_are_kept_until_they_are_deleted(bench: Bench, put: str, kind: str, text_name: str) -> None:
    text = json.dumps({"rules": ["x" * 120]})
    assert bench.refuse(f"Get{kind}", repositoryName="team/wine")[0] == f"{kind}NotFoundException"
    bench.call(put, repositoryName="team/wine", **{text_name: text})
    assert bench.call(f"Get{kind}", repositoryName="team/wine").text(text_name) == text
    bench.call(f"Delete{kind}", repositoryName="team/wine")
    assert bench.refuse(f"Get{kind}", repositoryName="team/wine")[0] == f"{kind}NotFoundException"


def test_tags_of_a_repository_are_added_listed_and_removed(bench: Bench) -> None:
    bench.call("TagResource", resourceArn=ARN, tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
    bench.call("UntagResource", resourceArn=ARN, tagKeys=["a", "never"])
    assert bench.call("ListTagsForResource", resourceArn=ARN).plain() == {"tags": [{"Key": "b", "Value": "2"}]}
    assert bench.refuse("ListTagsForResource", resourceArn="arn:aws:s3:::bucket")[0] == "InvalidParameterException"


def test_repository_with_images_is_deleted_by_force_only(bench: Bench) -> None:
    bench.push("v1")
    assert bench.refuse("DeleteRepository", repositoryName="team/wine")[0] == "RepositoryNotEmptyException"
    bench.call("DeleteRepository", repositoryName="team/wine", force=True)
    code, message = bench.refuse("DescribeRepositories", repositoryNames=["team/wine"])
    assert code == "RepositoryNotFoundException"
    assert message == f"The repository with name 'team/wine' does not exist in the registry with id '{ACCOUNT}'"


def test_what_is_not_offered_is_an_honest_error(bench: Bench) -> None:
    assert bench.refuse("StartImageScan", repositoryName="team/wine")[0] == "UnknownOperationException"
    assert bench.refuse("CreateRepository", repositoryName="beer", nonsense=1)[0] == "SerializationException"
    target = {"x-amz-target": "AmazonEC2ContainerRegistry_V20150921.DescribeRepositories"}
    answer = bench.service.answer(HttpRequest(method="POST", path="/", headers=target, body=b"[]"))
    assert json.loads(answer.body)["__type"] == "SerializationException"


def test_every_offered_call_is_one_of_the_services(bench: Bench) -> None:
    ecr = Ecr(bench.repositories, RegistryTokens(), address=ADDRESS, region=REGION)
    assert ecr.operations <= Shapes("ecr").operations
