"""Owns the local images as revisions need them: by fingerprint, unpacked, or as an archive for an engine.

Implements RevisionImages, and reads the proof that an image carries. Must not build.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from dockyard.adapters.images.errors import translated
from dockyard.domain.errors import BuildError
from dockyard.domain.image import Fingerprint, ImageDigest
from dockyard_image.errors import StoreError
from dockyard_image.image import StoredImage
from dockyard_image.store import ImageStore
from dockyard_image.unpacked import PROOF_FILE, UnpackedImage, unpack_image
from dockyard_scorer.proof import Proof, parse_proof


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageLibrary:
    """The images of the local store. `fetch_base` brings an image's base layers into the store."""

    store: ImageStore
    unpacked: Path
    """Where layers are unpacked, each once for all images that have it."""
    fetch_base: Callable[[StoredImage], None]

    def find_digest(self, fingerprint: Fingerprint) -> ImageDigest:
        """The manifest digest of an image. Raises `image-missing`."""
        return ImageDigest(self.require(fingerprint).digest)

    def find_config_digest(self, fingerprint: Fingerprint) -> str:
        """The digest of its config, by which engines know it. Raises `image-missing`."""
        return self.require(fingerprint).config_digest

    def unpack_image(self, fingerprint: Fingerprint) -> UnpackedImage:
        """Unpack what of it is not unpacked yet. Raises `image-missing`, `unpack-failed`."""
        return self.unpack(self.require(fingerprint))

    def unpack(self, image: StoredImage) -> UnpackedImage:
        """The same for an image that is not listed yet, while the store is held."""
        with translated():
            try:
                return unpack_image(self.store.blobs, image, self.unpacked)
            except StoreError as error:
                if error.code != "image-needs-engine":
                    raise
                hint = "use `--runtime docker`: its model needs more than Python packages"
                raise BuildError("unpack-failed", error.message, hint=hint) from error

    def write_archive(self, fingerprint: Fingerprint, file: IO[bytes], name: str) -> None:
        """Write what `docker load` reads, under that name. Raises `image-missing`, and what fetching the base raises."""
        self.write(self.require(fingerprint), file, name)

    def write(self, image: StoredImage, file: IO[bytes], name: str) -> None:
        """The same for an image that is not listed yet, while the store is held."""
        self.fetch_base(image)
        with translated():
            self.store.write_docker_archive(image, file, name=name)

    def read_proof(self, fingerprint: Fingerprint) -> Proof | None:
        """The proof that an image carries; None where its model has no input example."""
        image = self.require(fingerprint)
        with translated():
            content = self.store.read_file(image, PROOF_FILE)
        return parse_proof(json.loads(content), PROOF_FILE) if content is not None else None

    def has(self, fingerprint: Fingerprint) -> bool:
        """Whether the image of a fingerprint is in the local store."""
        with translated():
            return self.store.find(fingerprint) is not None

    def require(self, fingerprint: Fingerprint) -> StoredImage:
        """The image of a fingerprint. Raises BuildError `image-missing`."""
        with translated():
            image = self.store.find(fingerprint)
        if image is None:
            raise BuildError(
                "image-missing",
                f"the image with fingerprint {fingerprint[:12]} is not in the local store",
                hint="deploy the model version again, which builds it",
            )
        return image
