"""Owns the steps that mean the same on every target: build the image, point the alias, write the record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from typing_extensions import assert_never

from dockyard.apply.interpreter import Facts
from dockyard.domain.deployment import DeploymentKey
from dockyard.domain.errors import DockyardError
from dockyard.domain.image import BuiltImage, Fingerprint, ImageDigest, ImageRecipe
from dockyard.domain.plan import BuildImage, Outcome, SetAlias, WriteRecord
from dockyard.ports import ImageFactory, RegistryWriter, ResolvedModel

SharedStep = BuildImage | SetAlias | WriteRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """What the building of an image needs beside its fingerprint."""

    recipe: ImageRecipe
    model: ResolvedModel


class SuccessWriter(Protocol):
    """Writes a deployment that stands to the registry."""

    def write_success(self, step: WriteRecord, outcomes: tuple[Outcome, ...]) -> Facts:
        """Write it, with how it came to stand. Raises PartialError `record-pending`."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedHandlers:
    """The steps that every target has. None of them is to be undone: what fills the image store is found again."""

    key: DeploymentKey
    images: ImageFactory
    writer: RegistryWriter
    record: SuccessWriter
    build: Build | None = None
    """None where the plan has no BuildImage: rollback and delete."""

    def perform(self, step: SharedStep, outcomes: tuple[Outcome, ...]) -> Facts:
        """Do a step."""
        match step:
            case BuildImage():
                return self._build_image()
            case SetAlias(name=name, alias=alias, version=version):
                self.writer.set_alias(name, alias, version)
                return ()
            case WriteRecord():
                return self.record.write_success(step, outcomes)
            case _:
                assert_never(step)

    def require_image(self, fingerprint: Fingerprint) -> BuiltImage:
        """The image of a fingerprint in the local store. Raises DockyardError `image-missing`."""
        image = self.images.find_image(fingerprint)
        if image is None:
            raise DockyardError("image-missing", "the image is no longer in the local store", hint="the same command builds it")
        return image

    def push_image(self, image: BuiltImage, repository: str) -> ImageDigest:
        """Push an image under a tag that is made of its fingerprint; return the digest that the registry has it under."""
        tag = image.fingerprint.removeprefix("sha256:")[:16]
        return self.images.push_image(image, f"{repository}:{tag}")

    def _build_image(self) -> Facts:
        if self.build is None:
            raise DockyardError(
                "image-missing",
                f"the image of the revision of {self.key} is no longer in the local store",
                hint="deploy the model version again, which builds it",
            )
        image = self.images.build_image(self.build.recipe, self.build.model)
        return (("digest", image.digest), ("size_bytes", image.size_bytes), ("has_proof", str(image.has_proof)))
