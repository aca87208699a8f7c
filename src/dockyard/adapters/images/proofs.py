"""Owns what images were proved with: out of the local store, else out of the registry that has the image.

So a rollback from a machine that has never seen the image can still ask what the image was asked when it was built.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from dockyard.adapters.files import write_file
from dockyard.adapters.images.errors import translated
from dockyard.adapters.images.library import ImageLibrary
from dockyard.domain.image import Fingerprint, ImageDigest
from dockyard_image.pull import read_layer_file
from dockyard_image.registries import Registries
from dockyard_image.unpacked import PROOF_FILE, PROOF_LAYER
from dockyard_scorer.proof import Proof, parse_proof


@dataclass(frozen=True, slots=True, kw_only=True)
class Proofs:
    """Proofs by fingerprint. `folder` keeps those that were fetched; it may be deleted at any time."""

    library: ImageLibrary
    registries: Registries
    folder: Path

    def read_proof(self, fingerprint: Fingerprint) -> Proof | None:
        """What an image was proved with; None where its model has no input example.

        Raises BuildError `image-missing` for an image that is neither in the local store nor fetched.
        """
        file = self._file(fingerprint)
        if not self.library.has(fingerprint) and file.exists():
            return _parse(file.read_bytes())
        return self.library.read_proof(fingerprint)

    def fetch_proof(self, fingerprint: Fingerprint, image: ImageDigest) -> None:
        """Bring the proof of an image, `repository@sha256:…`, out of its registry where it is not at hand.

        Raises `registry-unreachable`, `credentials-refused`, `registry-refused`.
        """
        file = self._file(fingerprint)
        if self.library.has(fingerprint) or file.exists():
            return
        with translated():
            content = read_layer_file(image, PROOF_LAYER, PROOF_FILE, self.registries)
        write_file(file, content or b"")

    def _file(self, fingerprint: Fingerprint) -> Path:
        return self.folder / f"{fingerprint.removeprefix('sha256:')}.json"


def _parse(content: bytes) -> Proof | None:
    return parse_proof(json.loads(content), PROOF_FILE) if content else None
