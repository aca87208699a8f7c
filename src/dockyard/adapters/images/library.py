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
from dockyard.adapters.local.runtime import UnpackedImage
from dockyard.domain.errors import BuildError
from dockyard.domain.image import Fingerprint, ImageDigest
from dockyard_image.config import MODEL, ROOT, SCORER, SITE_PACKAGES
from dockyard_image.image import StoredImage, StoredLayer
from dockyard_image.store import ImageStore
from dockyard_scorer.proof import Proof, parse_proof

PROOF_FILE = f"{ROOT}/proof.json"
PROOF_LAYER = "proof"
PYTHON_LABEL = "dockyard.python"


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
        image = self.require(fingerprint)
        scorer = [layer for layer in image.layers if layer.kind == "scorer"]
        if not scorer:
            raise BuildError(
                "unpack-failed",
                "an image that a Docker engine built cannot run without one",
                hint="use `--runtime docker`: its model needs more than Python packages",
            )
        model = self._unpack(image, "model")[0]
        proofs = self._unpack(image, PROOF_LAYER)
        return UnpackedImage(
            python=image.labels[PYTHON_LABEL],
            site_packages=tuple(folder / SITE_PACKAGES for folder in self._unpack(image, "dependencies")),
            scorer=self._unpack(image, "scorer")[0] / SCORER,
            model=model / MODEL,
            image_json=model / ROOT / "image.json",
            proof=proofs[0] / PROOF_FILE if proofs else None,
        )

    def write_archive(self, fingerprint: Fingerprint, file: IO[bytes], name: str) -> None:
        """Write what `docker load` reads, under that name. Raises `image-missing`, and what fetching the base raises."""
        image = self.require(fingerprint)
        self.fetch_base(image)
        with translated():
            self.store.write_docker_archive(image, file, name=name)

    def read_proof(self, fingerprint: Fingerprint) -> Proof | None:
        """The proof that an image carries; None where its model has no input example."""
        image = self.require(fingerprint)
        with translated():
            content = self.store.read_file(image, PROOF_FILE)
        return parse_proof(json.loads(content), PROOF_FILE) if content is not None else None

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

    def _unpack(self, image: StoredImage, kind: str) -> list[Path]:
        layers: list[StoredLayer] = [layer for layer in image.layers if layer.kind == kind]
        with translated():
            return [self.store.unpack_layer(image, layer, self.unpacked) for layer in layers]
