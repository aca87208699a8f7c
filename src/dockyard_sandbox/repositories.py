"""Repositories and what was pushed to them: the one state behind ECR's control calls and the registry's data plane.

Owns ECR's rules for it: what must exist, immutable tags, manifests whose layers were never sent. Must not speak HTTP.
Error codes and words are ECR's. https://docs.aws.amazon.com/AmazonECR/latest/APIReference/CommonErrors.html
"""

from __future__ import annotations

import fnmatch
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone

from dockyard_image.blobs import Blobs
from dockyard_image.digest import digest_bytes
from dockyard_image.errors import RegistryError
from dockyard_image.manifest import decode_index, decode_manifest, decode_object, is_index


class EcrError(Exception):
    """A refusal, with ECR's code and words."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True, kw_only=True)
class PushedImage:
    """A manifest that was pushed. `size` is what its layers take in the registry."""

    digest: str
    media_type: str
    artifact_type: str
    content: bytes
    size: int
    pushed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RepositorySettings:
    """What CreateRepository says about a repository."""

    mutability: str = "MUTABLE"
    exclusions: tuple[str, ...] = ()
    """Wildcards of the tags to which the opposite of `mutability` applies (`…_WITH_EXCLUSION`)."""
    scan_on_push: bool = False
    encryption: Mapping[str, str] = field(default_factory=lambda: {"encryptionType": "AES256"})


@dataclass(slots=True, kw_only=True)
class Repository:
    """One repository. Changed only under the lock of its Repositories."""

    name: str
    created_at: datetime
    settings: RepositorySettings
    images: dict[str, PushedImage] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    """From image tag to digest."""
    blobs: set[str] = field(default_factory=set)
    labels: dict[str, str] = field(default_factory=dict)
    """The resource's own tags."""
    documents: dict[str, tuple[str, datetime]] = field(default_factory=dict)
    """The lifecycle policy and the access policy, as they were put."""
    pulled_at: dict[str, datetime] = field(default_factory=dict)

    def tags_of(self, digest: str) -> list[str]:
        """The tags of an image."""
        return sorted(tag for tag, target in self.tags.items() if target == digest)

    def is_immutable(self, tag: str) -> bool:
        """Whether a tag may not be moved once it is there."""
        excluded = any(fnmatch.fnmatchcase(tag, pattern) for pattern in self.settings.exclusions)
        return self.settings.mutability.startswith("IMMUTABLE") != excluded


class Repositories:
    """All repositories of one account and region, and the blobs that they share on disk."""

    def __init__(self, blobs: Blobs, *, account: str, clock: Callable[[], datetime] | None = None) -> None:
        self.blobs = blobs
        self.account = account
        self.lock = threading.RLock()
        self._now = clock or (lambda: datetime.now(timezone.utc))
        self._by_name: dict[str, Repository] = {}

    def list_all(self) -> list[Repository]:
        """Every repository, by name."""
        with self.lock:
            return [self._by_name[name] for name in sorted(self._by_name)]

    def find(self, name: str) -> Repository:
        """A repository by name. Raises EcrError `RepositoryNotFoundException`."""
        with self.lock:
            if name not in self._by_name:
                raise EcrError("RepositoryNotFoundException", f"{self._called(name)} does not exist in {self._registry()}")
            return self._by_name[name]

    def create(self, name: str, settings: RepositorySettings, labels: Mapping[str, str]) -> Repository:
        """Make a repository. Raises EcrError `RepositoryAlreadyExistsException`."""
        with self.lock:
            if name in self._by_name:
                raise EcrError("RepositoryAlreadyExistsException", f"{self._called(name)} already exists in {self._registry()}")
            made = Repository(name=name, created_at=self._now(), settings=settings, labels=dict(labels))
            self._by_name[name] = made
            return made

    def delete(self, name: str, *, force: bool) -> Repository:
        """Remove a repository. Raises EcrError `RepositoryNotEmptyException` when it has images and is not forced."""
        with self.lock:
            repository = self.find(name)
            if repository.images and not force:
                words = "cannot be deleted because it still contains images"
                raise EcrError("RepositoryNotEmptyException", f"{self._called(name)} in {self._registry()} {words}")
            del self._by_name[name]
            still_used = {blob for other in self._by_name.values() for blob in other.blobs}
            for blob in repository.blobs - still_used:
                if self.blobs.has(blob):
                    self.blobs.remove(blob)
            return repository

    def put_document(self, name: str, kind: str, text: str | None) -> None:
        """Set or remove (None) a policy of a repository."""
        with self.lock:
            documents = self.find(name).documents
            if text is None:
                documents.pop(kind, None)
            else:
                documents[kind] = (text, self._now())

    def add_blob(self, name: str, digest: str) -> None:
        """Note that a repository has a blob, which is in the store."""
        with self.lock:
            self.find(name).blobs.add(digest)

    def mount_blob(self, name: str, digest: str, source: str) -> bool:
        """Give a repository a blob that another one has; False when that one has none."""
        with self.lock:
            repository, other = self.find(name), self._by_name.get(source)
            if other is None or digest not in other.blobs:
                return False
            repository.blobs.add(digest)
            return True

    def find_image(self, name: str, selector: str) -> PushedImage | None:
        """An image by digest or tag, or None; notes that it was asked for."""
        with self.lock:
            repository = self.find(name)
            image = repository.images.get(repository.tags.get(selector, selector))
            if image is not None:
                repository.pulled_at[image.digest] = self._now()
            return image

    def put_image(self, name: str, content: bytes, media_type: str, *, tag: str = "", digest: str = "") -> PushedImage:
        """Take a manifest, and tag it.

        Raises EcrError: `InvalidParameterException`, `ImageDigestDoesNotMatchException`, `LayersNotFoundException`,
        `ReferencedImagesNotFoundException`, `ImageAlreadyExistsException`, `ImageTagAlreadyExistsException`.
        """
        actual = digest_bytes(content)
        if digest and digest != actual:
            raise EcrError("ImageDigestDoesNotMatchException", "The calculated digest of the image manifest is a different one")
        with self.lock:
            repository = self.find(name)
            image = self._read(repository, content, media_type)
            if tag:
                self._refuse_moved_tag(repository, tag, actual)
                repository.tags[tag] = actual
            return repository.images.setdefault(actual, image)

    def delete_tag(self, name: str, tag: str) -> None:
        """Remove a tag; the image goes with its last one."""
        with self.lock:
            repository = self.find(name)
            digest = repository.tags.pop(tag)
            if digest not in repository.tags.values():
                repository.images.pop(digest, None)

    def delete_image(self, name: str, digest: str) -> None:
        """Remove an image and its tags. Raises EcrError `ImageReferencedByManifestList`."""
        with self.lock:
            repository = self.find(name)
            for other in repository.images.values():
                if is_index(other.content, other.media_type) and digest in _pointers(other.content, other.media_type):
                    words = f"Requested image referenced by manifest list: [{other.digest}]"
                    raise EcrError("ImageReferencedByManifestList", words)
            repository.images.pop(digest)
            repository.tags = {tag: target for tag, target in repository.tags.items() if target != digest}

    def missing_image(self, name: str, *, digest: str = "", tag: str = "") -> EcrError:
        """The error for an image that is not there."""
        image_id = f"{{imageDigest:'{digest or 'null'}', imageTag:'{tag or 'null'}'}}"
        words = (
            f"The image with imageId {image_id} does not exist within the repository with name '{name}' in {self._registry()}"
        )
        return EcrError("ImageNotFoundException", words)

    def missing_document(self, name: str, code: str, what: str) -> EcrError:
        """The error for a policy that was never put."""
        return EcrError(code, f"{what} does not exist for the repository with name '{name}' in {self._registry()}")

    def _read(self, repository: Repository, content: bytes, media_type: str) -> PushedImage:
        try:
            pointers = _pointers(content, media_type)
            kind = str(decode_object(content).get("mediaType") or media_type)
            is_list = is_index(content, media_type)
        except RegistryError as error:
            raise EcrError(
                "InvalidParameterException", f"Invalid parameter at 'imageManifest' failed: {error.message}"
            ) from error
        known = repository.images if is_list else repository.blobs
        missing = [pointer for pointer in pointers if pointer not in known]
        if missing and is_list:
            raise EcrError(
                "ReferencedImagesNotFoundException", f"Images with digests '{missing}' required for pushing image do not exist"
            )
        if missing:
            raise EcrError(
                "LayersNotFoundException", f"Layers with digests '{missing}' required for pushing image do not exist"
            )
        return PushedImage(
            digest=digest_bytes(content),
            media_type=kind,
            artifact_type="" if is_list else decode_manifest(content, media_type).config.media_type,
            content=content,
            size=len(content) if is_list else sum(layer.size for layer in decode_manifest(content, media_type).layers),
            pushed_at=self._now(),
        )

    def _refuse_moved_tag(self, repository: Repository, tag: str, digest: str) -> None:
        present = repository.tags.get(tag)
        if present is not None and present != digest and repository.is_immutable(tag):
            words = f"The image tag '{tag}' already exists in the '{repository.name}' repository"
            raise EcrError("ImageTagAlreadyExistsException", f"{words} and cannot be overwritten because the tag is immutable.")

    def _called(self, name: str) -> str:
        return f"The repository with name '{name}'"

    def _registry(self) -> str:
        return f"the registry with id '{self.account}'"


def _pointers(content: bytes, media_type: str) -> tuple[str, ...]:
    """The digests that a manifest or list needs. Raises RegistryError."""
    if is_index(content, media_type):
        return tuple(entry.descriptor.digest for entry in decode_index(content))
    manifest = decode_manifest(content, media_type)
    return (manifest.config.digest, *(layer.digest for layer in manifest.layers))
