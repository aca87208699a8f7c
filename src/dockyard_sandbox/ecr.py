"""ECR's control calls, answered from what was really pushed.

Owns each call's request and response. The rules are in `repositories`; the server checks shapes. Must not speak HTTP.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType
from typing import TypeAlias

from dockyard_sandbox.fields import Fields
from dockyard_sandbox.registry_tokens import RegistryTokens
from dockyard_sandbox.repositories import EcrError, PushedImage, Repositories, Repository, RepositorySettings

Document: TypeAlias = dict[str, object]
_PAGE = 100
_LIFECYCLE = "lifecycle"
_ACCESS = "access"


class Ecr:
    """The service. `address` is the registry's `host:port`."""

    def __init__(self, repositories: Repositories, tokens: RegistryTokens, *, address: str, region: str) -> None:
        self._repositories = repositories
        self._tokens = tokens
        self._address = address
        self._region = region
        self._account = repositories.account
        self._operations: Mapping[str, Callable[[Fields], Document]] = MappingProxyType(
            {
                "CreateRepository": self._create_repository,
                "DescribeRepositories": self._describe_repositories,
                "DeleteRepository": self._delete_repository,
                "PutImageTagMutability": self._put_mutability,
                "PutImageScanningConfiguration": self._put_scanning,
                "GetAuthorizationToken": self._get_token,
                "DescribeImages": self._describe_images,
                "ListImages": self._list_images,
                "BatchGetImage": self._batch_get_image,
                "BatchDeleteImage": self._batch_delete_image,
                "BatchCheckLayerAvailability": self._check_layers,
                "PutImage": self._put_image,
                "PutLifecyclePolicy": self._put_lifecycle,
                "GetLifecyclePolicy": self._get_lifecycle,
                "DeleteLifecyclePolicy": self._delete_lifecycle,
                "SetRepositoryPolicy": self._set_policy,
                "GetRepositoryPolicy": self._get_policy,
                "DeleteRepositoryPolicy": self._delete_policy,
                "TagResource": self._tag,
                "UntagResource": self._untag,
                "ListTagsForResource": self._list_tags,
            }
        )

    @property
    def operations(self) -> frozenset[str]:
        """The calls that are offered."""
        return frozenset(self._operations)

    def call(self, operation: str, request: Fields) -> Document:
        """Answer a call. Times are seconds since 1970, as on the wire. Raises EcrError."""
        with self._repositories.lock:
            return self._operations[operation](request)

    # Repositories

    def _create_repository(self, request: Fields) -> Document:
        settings = RepositorySettings(
            mutability=request.text("imageTagMutability", "MUTABLE"),
            exclusions=_exclusions(request),
            scan_on_push=request.child("imageScanningConfiguration").flag("scanOnPush"),
            encryption=request.text_map("encryptionConfiguration") or {"encryptionType": "AES256"},
        )
        name = request.text("repositoryName")
        return {"repository": self._tell(self._repositories.create(name, settings, _read_tags(request.items_of("tags"))))}

    def _describe_repositories(self, request: Fields) -> Document:
        names = request.texts("repositoryNames")
        if names:
            return {"repositories": [self._tell(self._repositories.find(name)) for name in names]}
        page, rest = _page([self._tell(one) for one in self._repositories.list_all()], request)
        return {"repositories": page, **rest}

    def _delete_repository(self, request: Fields) -> Document:
        return {
            "repository": self._tell(self._repositories.delete(request.text("repositoryName"), force=request.flag("force")))
        }

    def _put_mutability(self, request: Fields) -> Document:
        repository = self._find(request)
        mutability, exclusions = request.text("imageTagMutability"), _exclusions(request)
        repository.settings = replace(repository.settings, mutability=mutability, exclusions=exclusions)
        return {**self._name(repository), "imageTagMutability": mutability}

    def _put_scanning(self, request: Fields) -> Document:
        repository, wanted = self._find(request), request.child("imageScanningConfiguration")
        repository.settings = replace(repository.settings, scan_on_push=wanted.flag("scanOnPush"))
        return {**self._name(repository), "imageScanningConfiguration": wanted.plain()}

    def _get_token(self, _: Fields) -> Document:
        token, expiry = self._tokens.issue()
        data = {"authorizationToken": token, "expiresAt": expiry.timestamp(), "proxyEndpoint": f"http://{self._address}"}
        return {"authorizationData": [data]}

    # Images

    def _describe_images(self, request: Fields) -> Document:
        repository = self._find(request)
        wanted = request.items_of("imageIds")
        if wanted:
            images = [self._find_image(repository, image_id) for image_id in wanted]
        else:
            images = [image for image in repository.images.values() if _is_listed(repository, image, request)]
        page, rest = _page([self._tell_image(repository, image) for image in images], request)
        return {"imageDetails": page, **rest}

    def _list_images(self, request: Fields) -> Document:
        repository = self._find(request)
        ids: list[Document] = []
        for image in repository.images.values():
            if _is_listed(repository, image, request):
                ids += _image_ids(repository, image)
        page, rest = _page(ids, request)
        return {"imageIds": page, **rest}

    def _batch_get_image(self, request: Fields) -> Document:
        repository, images, failures = self._find(request), [], []
        for image_id in request.items_of("imageIds"):
            try:
                image = self._find_image(repository, image_id)
            except EcrError as error:
                failures.append(_failure(image_id, error))
            else:
                images.append(self._tell_manifest(repository, image, image_id.text("imageTag")))
        return {"images": images, "failures": failures}

    def _batch_delete_image(self, request: Fields) -> Document:
        repository, deleted, failures = self._find(request), [], []
        for image_id in request.items_of("imageIds"):
            try:
                deleted += self._delete_image(repository, image_id)
            except EcrError as error:
                failures.append(_failure(image_id, error))
        return {"imageIds": deleted, "failures": failures}

    def _delete_image(self, repository: Repository, image_id: Fields) -> list[Document]:
        image = self._find_image(repository, image_id)
        if "imageDigest" in image_id:
            gone = _image_ids(repository, image)
            self._repositories.delete_image(repository.name, image.digest)
            return gone
        self._repositories.delete_tag(repository.name, image_id.text("imageTag"))
        return [image_id.plain() | {"imageDigest": image.digest}]

    def _check_layers(self, request: Fields) -> Document:
        repository, layers, failures = self._find(request), [], []
        for digest in request.texts("layerDigests"):
            if digest in repository.blobs:
                size = self._repositories.blobs.path(digest).stat().st_size
                layers.append({"layerDigest": digest, "layerAvailability": "AVAILABLE", "layerSize": size})
            else:
                failures.append(
                    {"layerDigest": digest, "failureCode": "MissingLayerDigest", "failureReason": "Layer is missing"}
                )
        return {"layers": layers, "failures": failures}

    def _put_image(self, request: Fields) -> Document:
        repository, tag = self._find(request), request.text("imageTag")
        known = set(repository.images), dict(repository.tags)
        content, kind = request.text("imageManifest").encode(), request.text("imageManifestMediaType")
        image = self._repositories.put_image(repository.name, content, kind, tag=tag, digest=request.text("imageDigest"))
        if image.digest in known[0] and (not tag or known[1].get(tag) == image.digest):
            words = f"Image with digest '{image.digest}' and tag '{tag or 'null'}' already exists in the repository"
            raise EcrError("ImageAlreadyExistsException", f"{words} with name '{repository.name}'")
        return {"image": self._tell_manifest(repository, image, tag)}

    # Policies and tags

    def _put_lifecycle(self, request: Fields) -> Document:
        text = request.text("lifecyclePolicyText")
        self._repositories.put_document(request.text("repositoryName"), _LIFECYCLE, text)
        return {**self._name(self._find(request)), "lifecyclePolicyText": text}

    def _get_lifecycle(self, request: Fields) -> Document:
        text, when = self._document(request, _LIFECYCLE)
        return {**self._name(self._find(request)), "lifecyclePolicyText": text, "lastEvaluatedAt": when.timestamp()}

    def _delete_lifecycle(self, request: Fields) -> Document:
        answer = self._get_lifecycle(request)
        self._repositories.put_document(request.text("repositoryName"), _LIFECYCLE, None)
        return answer

    def _set_policy(self, request: Fields) -> Document:
        self._repositories.put_document(request.text("repositoryName"), _ACCESS, request.text("policyText"))
        return {**self._name(self._find(request)), "policyText": request.text("policyText")}

    def _get_policy(self, request: Fields) -> Document:
        return {**self._name(self._find(request)), "policyText": self._document(request, _ACCESS)[0]}

    def _delete_policy(self, request: Fields) -> Document:
        answer = self._get_policy(request)
        self._repositories.put_document(request.text("repositoryName"), _ACCESS, None)
        return answer

    def _tag(self, request: Fields) -> Document:
        self._find_arn(request).labels.update(_read_tags(request.items_of("tags")))
        return {}

    def _untag(self, request: Fields) -> Document:
        labels = self._find_arn(request).labels
        for key in request.texts("tagKeys"):
            labels.pop(key, None)
        return {}

    def _list_tags(self, request: Fields) -> Document:
        return {"tags": [{"Key": key, "Value": value} for key, value in self._find_arn(request).labels.items()]}

    # Parts

    def _find(self, request: Fields) -> Repository:
        return self._repositories.find(request.text("repositoryName"))

    def _find_arn(self, request: Fields) -> Repository:
        arn = request.text("resourceArn")
        prefix = self._arn("")
        if not arn.startswith(prefix):
            raise EcrError(
                "InvalidParameterException", f"Invalid parameter at 'resourceArn' failed to satisfy constraint: '{arn}'"
            )
        return self._repositories.find(arn.removeprefix(prefix))

    def _find_image(self, repository: Repository, image_id: Fields) -> PushedImage:
        digest, tag = image_id.text("imageDigest"), image_id.text("imageTag")
        if not digest and not tag:
            raise EcrError("MissingDigestAndTag", "Invalid request parameters: both tag and digest cannot be null")
        image = repository.images.get(digest or repository.tags.get(tag, ""))
        if image is None:
            raise self._repositories.missing_image(repository.name, digest=digest, tag=tag)
        if digest and tag and repository.tags.get(tag) != digest:
            raise EcrError("ImageTagDoesNotMatchDigest", f"Requested image tag '{tag}' does not match digest '{digest}'")
        return image

    def _document(self, request: Fields, kind: str) -> tuple[str, datetime]:
        repository = self._find(request)
        if kind not in repository.documents:
            what, code = _MISSING[kind]
            raise self._repositories.missing_document(repository.name, code, what)
        return repository.documents[kind]

    def _arn(self, name: str) -> str:
        return f"arn:aws:ecr:{self._region}:{self._account}:repository/{name}"

    def _name(self, repository: Repository) -> Document:
        return {"registryId": self._account, "repositoryName": repository.name}

    def _tell(self, repository: Repository) -> Document:
        settings = repository.settings
        return {
            **self._name(repository),
            "repositoryArn": self._arn(repository.name),
            "repositoryUri": f"{self._address}/{repository.name}",
            "createdAt": repository.created_at.timestamp(),
            "imageTagMutability": settings.mutability,
            **({"imageTagMutabilityExclusionFilters": _filters(settings.exclusions)} if settings.exclusions else {}),
            "imageScanningConfiguration": {"scanOnPush": settings.scan_on_push},
            "encryptionConfiguration": dict(settings.encryption),
        }

    def _tell_image(self, repository: Repository, image: PushedImage) -> Document:
        tags, pulled = repository.tags_of(image.digest), repository.pulled_at.get(image.digest)
        return {
            **self._name(repository),
            "imageDigest": image.digest,
            **({"imageTags": tags} if tags else {}),
            "imageSizeInBytes": image.size,
            "imagePushedAt": image.pushed_at.timestamp(),
            "imageManifestMediaType": image.media_type,
            **({"artifactMediaType": image.artifact_type} if image.artifact_type else {}),
            **({"lastRecordedPullTime": pulled.timestamp()} if pulled else {}),
        }

    def _tell_manifest(self, repository: Repository, image: PushedImage, tag: str) -> Document:
        return {
            **self._name(repository),
            "imageId": {"imageDigest": image.digest, **({"imageTag": tag} if tag else {})},
            "imageManifest": image.content.decode(),
            "imageManifestMediaType": image.media_type,
        }


_MISSING = MappingProxyType(
    {
        _LIFECYCLE: ("Lifecycle policy", "LifecyclePolicyNotFoundException"),
        _ACCESS: ("Repository policy", "RepositoryPolicyNotFoundException"),
    }
)
_FAILURE_CODES = MappingProxyType({"ImageNotFoundException": ("ImageNotFound", "Requested image not found")})


def _failure(image_id: Fields, error: EcrError) -> Document:
    code, reason = _FAILURE_CODES.get(error.code, (error.code, error.message))
    return {"imageId": image_id.plain(), "failureCode": code, "failureReason": reason}


def _image_ids(repository: Repository, image: PushedImage) -> list[Document]:
    tags = repository.tags_of(image.digest)
    return [{"imageDigest": image.digest, "imageTag": tag} for tag in tags] or [{"imageDigest": image.digest}]


def _is_listed(repository: Repository, image: PushedImage, request: Fields) -> bool:
    status = request.child("filter").text("tagStatus", "ANY")
    return status == "ANY" or (status == "TAGGED") == bool(repository.tags_of(image.digest))


def _page(items: Sequence[Document], request: Fields) -> tuple[list[Document], Document]:
    """The wanted page, and the token of the next one if there is one."""
    token = request.text("nextToken", "0")
    if not token.isdigit():
        raise EcrError("InvalidParameterException", "Invalid parameter at 'nextToken' failed to satisfy constraint: 'unknown'")
    start, size = int(token), request.whole("maxResults", _PAGE)
    end = start + size
    return list(items[start:end]), {"nextToken": str(end)} if end < len(items) else {}


def _exclusions(request: Fields) -> tuple[str, ...]:
    return tuple(one.text("filter") for one in request.items_of("imageTagMutabilityExclusionFilters"))


def _filters(exclusions: Sequence[str]) -> list[Document]:
    return [{"filterType": "WILDCARD", "filter": pattern} for pattern in exclusions]


def _read_tags(tags: Sequence[Fields]) -> dict[str, str]:
    return {tag.text("Key"): tag.text("Value") for tag in tags}
