"""Images of one small layer in a real store, pushed to a real registry: for tests that are about everything after the build."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from dockyard.adapters.images.errors import translated
from dockyard.domain.image import BuiltImage, Fingerprint, ImageDigest, ImageRecipe, ImageSettings
from dockyard.ports import Request, ResolvedModel
from dockyard.testing.images import EXAMPLE, MemoryImages
from dockyard_image import ImageStore, Registries, StoredImage
from dockyard_image.layer import store_layer
from dockyard_image.manifest import Descriptor, Manifest, encode_json, encode_manifest
from dockyard_image.media import media_types
from dockyard_image.push import push
from support.images import layer_tar


@dataclass(kw_only=True)
class TinyImages:
    """ImageFactory whose images' digests follow from their fingerprints. `pass_by` is called before and after a push."""

    store: ImageStore
    registries: Registries
    pass_by: Callable[[str], None] = lambda _: None

    def describe_recipe(self, model: ResolvedModel, settings: ImageSettings) -> ImageRecipe:
        """A recipe whose fingerprint follows from the model's digest and the settings."""
        return MemoryImages().describe_recipe(model, settings)

    def find_image(self, fingerprint: Fingerprint) -> BuiltImage | None:
        """The image of a fingerprint."""
        stored = self.store.find(fingerprint)
        if stored is None:
            return None
        return BuiltImage(fingerprint=fingerprint, digest=ImageDigest(stored.digest), size_bytes=1000, has_proof=True)

    def build_image(self, recipe: ImageRecipe, model: ResolvedModel) -> BuiltImage:
        """Make an image."""
        del model
        self.store.add(make_tiny_image(self.store, recipe.fingerprint), fingerprint=recipe.fingerprint)
        built = self.find_image(recipe.fingerprint)
        assert built is not None
        return built

    def push_image(self, image: BuiltImage, reference: str) -> ImageDigest:
        """Send it, as the builder does."""
        self.pass_by("before")
        with translated():
            pushed = push(self.store, self.store.load(image.digest), reference, self.registries)
        self.pass_by("after")
        return ImageDigest(pushed)

    def read_proof(self, fingerprint: Fingerprint, image: ImageDigest | None = None) -> Request | None:
        """The same example for every image that is there, or was pushed."""
        return EXAMPLE if image is not None or self.find_image(fingerprint) else None

    def read_footprint(self, image: ImageDigest) -> None:
        """Nothing was measured of any."""
        del image


def make_tiny_image(store: ImageStore, fingerprint: Fingerprint) -> StoredImage:
    """One layer, and a configuration that holds the fingerprint."""
    types = media_types("docker")
    layer = store_layer([layer_tar({"model": fingerprint.encode()})], store.blobs)
    settings = {"Labels": {"fingerprint": fingerprint}}
    rootfs = {"type": "layers", "diff_ids": [layer.diff_id]}
    config = encode_json({"os": "linux", "architecture": "amd64", "config": settings, "rootfs": rootfs})
    manifest = Manifest(
        media_type=types.manifest,
        config=Descriptor(media_type=types.config, digest=store.blobs.put(config), size=len(config)),
        layers=(Descriptor(media_type=types.layer_gzip, digest=layer.digest, size=layer.size),),
    )
    return store.load(store.blobs.put(encode_manifest(manifest)))
