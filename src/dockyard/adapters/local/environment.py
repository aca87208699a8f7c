"""Owns the environment of a process that runs out of an unpacked image: the image's config, with this machine's paths."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from dockyard.adapters.local.runtime import UnpackedImage

_KEPT_VARIABLES = ("PATH", "LANG", "LC_ALL", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR")


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
        "PYTHONPYCACHEPREFIX": str(cache.resolve() / "pycache"),
        "HOME": str(work),
        "TMPDIR": str(work),
    }
    return {"LANG": "C.UTF-8", **kept, **given, **python, **files}
