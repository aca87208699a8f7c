"""Owns the in-memory image store: fingerprints to images, with every write counted. For tests, ours and users'."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from dockyard.domain.errors import DockyardError
from dockyard.domain.image import BuilderKind, BuiltImage, Fingerprint, Footprint, ImageDigest, ImageRecipe, ImageSettings
from dockyard.ports import Request, ResolvedModel, StaleCache
from dockyard.testing.faults import Faults

EXAMPLE = Request(body=b'{"inputs": [1]}', content_type="application/json")
FOOTPRINT = Footprint(memory_mib=320, load_seconds=16)


@dataclass(kw_only=True)
class MemoryImages:
    """ImageFactory and ImageCleaner in memory. `failures` maps a method's name to the error that it raises."""

    faults: Faults = field(default_factory=Faults)
    failures: dict[str, DockyardError] = field(default_factory=dict)
    writes: list[str] = field(default_factory=list)
    example: Request | None = EXAMPLE
    """What models answer at build time; None: they were logged without an input example."""
    footprint: Footprint | None = FOOTPRINT
    """What is measured of each image; None: nothing."""
    _images: dict[Fingerprint, BuiltImage] = field(default_factory=dict)
    _pushed: dict[str, ImageDigest] = field(default_factory=dict)

    def describe_recipe(self, model: ResolvedModel, settings: ImageSettings) -> ImageRecipe:
        """A recipe whose fingerprint follows from the model's digest and the settings."""
        self._fail("describe_recipe")
        identity = model.version.identity
        text = f"{identity.digest} {identity.name} {identity.version} {settings}"
        return ImageRecipe(
            fingerprint=Fingerprint(hashlib.sha256(text.encode()).hexdigest()[:12]),
            builder=BuilderKind.DIRECT,
            reason="all requirements have wheels",
            settings=settings,
            base_digest="sha256:base",
            python=model.version.python,
            lock_digest="sha256:lock",
        )

    def find_image(self, fingerprint: Fingerprint) -> BuiltImage | None:
        """The image of a fingerprint."""
        return self._images.get(fingerprint)

    def build_image(self, recipe: ImageRecipe, model: ResolvedModel) -> BuiltImage:
        """Keep an image of the recipe."""
        self._fail("build_image")
        image = BuiltImage(
            fingerprint=recipe.fingerprint,
            digest=ImageDigest(f"sha256:{recipe.fingerprint}"),
            size_bytes=model.version.size_bytes,
            has_proof=self.example is not None,
            footprint=self.footprint,
        )
        with self.faults.watch("build_image"):
            self.writes.append(f"build {recipe.fingerprint}")
            self._images[recipe.fingerprint] = image
        return image

    def push_image(self, image: BuiltImage, reference: str) -> ImageDigest:
        """Remember that the image was pushed."""
        self._fail("push_image")
        with self.faults.watch("push_image"):
            self.writes.append(f"push {reference}")
            repository = reference.rsplit(":", 1)[0]
            self._pushed[reference] = ImageDigest(f"{repository}@{image.digest}")
            return self._pushed[reference]

    def forget_pushed(self, image: ImageDigest) -> None:
        """Let no reference point at an image any more: it is deleted where it was pushed to."""
        self._pushed = {reference: digest for reference, digest in self._pushed.items() if digest != image}

    def read_proof(self, fingerprint: Fingerprint, image: ImageDigest | None = None) -> Request | None:
        """The same example for every image that is there, or was pushed."""
        return self.example if fingerprint in self._images or image is not None else None

    def read_footprint(self, image: ImageDigest) -> Footprint | None:
        """The same for every image that was pushed."""
        self._fail("read_footprint")
        return self.footprint if image in self._pushed.values() else None

    def list_unused_images(self, keep: frozenset[Fingerprint]) -> tuple[BuiltImage, ...]:
        """Images that are not among those to keep."""
        return tuple(image for fingerprint, image in self._images.items() if fingerprint not in keep)

    def delete_image(self, fingerprint: Fingerprint) -> int:
        """Forget an image."""
        self.writes.append(f"delete {fingerprint}")
        return self._images.pop(fingerprint).size_bytes

    @property
    def pushed(self) -> Mapping[str, ImageDigest]:
        """References that were pushed, with what they point at."""
        return dict(self._pushed)

    def _fail(self, method: str) -> None:
        if method in self.failures:
            raise self.failures[method]


@dataclass(kw_only=True)
class MemoryCaches:
    """CacheCleaner in memory: what there is in caches, and for how many days nobody has used it."""

    unused: dict[StaleCache, int] = field(default_factory=dict)

    def list_stale(self, days: int) -> tuple[StaleCache, ...]:
        """Those that nobody has used for so many days."""
        return tuple(cache for cache, age in self.unused.items() if age >= days)

    def delete_stale(self, name: str, days: int) -> int:
        """Forget them."""
        found = [cache for cache in self.list_stale(days) if cache.name == name]
        for cache in found:
            del self.unused[cache]
        return sum(cache.size_bytes for cache in found)
