"""An image without an engine: its layers unpacked one beside the other, and the command that starts its scorer from there.

Owns where an image's own parts lie, and the environment of a process that runs out of them. Must not start processes.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dockyard_image.blobs import Blobs
from dockyard_image.config import MODEL, ROOT, SCORER, SITE_PACKAGES
from dockyard_image.errors import StoreError
from dockyard_image.image import StoredImage
from dockyard_image.unpack import unpack_layer

PROOF_LAYER = "proof"
PROOF_FILE = f"{ROOT}/proof.json"
PYTHON_LABEL = "dockyard.python"
_KEPT_VARIABLES = ("PATH", "LANG", "LC_ALL", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR")


@dataclass(frozen=True, slots=True, kw_only=True)
class UnpackedImage:
    """Where an image's own files lie when its layers are unpacked one beside the other."""

    python: str
    """The minor version that it needs, as `3.11`."""
    site_packages: tuple[Path, ...]
    scorer: Path
    model: Path
    image_json: Path
    proof: Path | None


def unpack_image(blobs: Blobs, image: StoredImage, folder: Path) -> UnpackedImage:
    """Unpack below `folder` what of an image's own layers is not there yet; the base is not needed.

    Raises StoreError: `image-needs-engine` where it was not built layer by layer; what `unpack_layer` raises.
    """
    if not {"scorer", "model"} <= {layer.kind for layer in image.layers} or PYTHON_LABEL not in image.labels:
        raise StoreError(
            "image-needs-engine",
            "an image that a Docker engine built cannot run without one",
            "Start a Docker engine: the image needs more than Python packages.",
        )

    def unpack(kind: str) -> list[Path]:
        return [unpack_layer(blobs, layer, folder) for layer in image.layers if layer.kind == kind]

    model, proofs = unpack("model")[0], unpack(PROOF_LAYER)
    return UnpackedImage(
        python=image.labels[PYTHON_LABEL],
        site_packages=tuple(layer / SITE_PACKAGES for layer in unpack("dependencies")),
        scorer=unpack("scorer")[0] / SCORER,
        model=model / MODEL,
        image_json=model / ROOT / "image.json",
        proof=proofs[0] / PROOF_FILE if proofs else None,
    )


def make_command(python: str, image: UnpackedImage, *arguments: str) -> tuple[str, ...]:
    """The command of the image's scorer under a Python of this machine, without that Python's own packages."""
    return (python, "-s", "-S", str(image.scorer), *arguments)


def make_environment(
    image: UnpackedImage, *, environ: Mapping[str, str], given: Mapping[str, str], work: Path, cache: Path
) -> dict[str, str]:
    """Return the whole environment: a few variables of ours, those `given` for the model, and the image's.

    `work` is the process's own folder for temporary files, `cache` is where compiled Python code is kept between starts.
    """
    kept = {name: environ[name] for name in _KEPT_VARIABLES if name in environ}
    site_packages = os.pathsep.join(str(path) for path in image.site_packages)
    files = {
        "DOCKYARD_SITE_PACKAGES": site_packages,
        "DOCKYARD_MODEL": str(image.model),
        "DOCKYARD_IMAGE_JSON": str(image.image_json),
        "DOCKYARD_PROOF": str(image.proof or image.image_json.with_name("proof.json")),
    }
    python = {
        "PYTHONPATH": site_packages,
        "PYTHONUNBUFFERED": "1",
        "PYTHONPYCACHEPREFIX": str(_compiled(cache)),
        "HOME": str(work),
        "TMPDIR": str(work),
    }
    return {"LANG": "C.UTF-8", **kept, **given, **python, **files}


def remove_compiled(cache: Path, unpacked: Path) -> int:
    """Remove the compiled code of layers that are unpacked below `unpacked` no more; return the bytes freed."""
    mirror = _compiled(cache) / unpacked.absolute().relative_to("/")
    if not mirror.is_dir():
        return 0
    orphans = [folder for folder in mirror.iterdir() if not (unpacked / folder.name).is_dir()]
    freed = sum(file.lstat().st_size for folder in orphans for file in folder.rglob("*.pyc"))
    for folder in orphans:
        shutil.rmtree(folder, ignore_errors=True)
    return freed


def _compiled(cache: Path) -> Path:
    """Python lays compiled code below it under the whole path of the source."""
    return cache.resolve() / "pycache"
