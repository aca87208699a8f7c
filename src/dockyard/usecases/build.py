"""Owns `build`: a model's image, made where it is not there yet, and pushed where that is asked for."""

from __future__ import annotations

import dataclasses

from dockyard.domain.errors import UsageError
from dockyard.domain.image import BuiltImage, ImageDigest
from dockyard.domain.request import BuildRequest
from dockyard.domain.result import BuildResult, ResultStatus
from dockyard.usecases.site_local import choose_base
from dockyard.usecases.workbench import Workbench


def build_image(bench: Workbench, request: BuildRequest) -> BuildResult:
    """Build and, with `push`, send the image to `image.repository`.

    Raises UsageError `usage` where it is to be pushed and no repository is known.
    """
    repository = request.image.repository
    if request.push and repository is None:
        raise UsageError("usage", "there is no repository to push to", hint="set `image.repository` in dockyard.yaml")
    with bench.progress.begin(f"resolve {request.ref}"):
        model = bench.registry.resolve_model(request.ref)
    settings = choose_base(request.image, None)
    with bench.progress.begin("lock the requirements and look up the base image"):
        recipe = bench.images.describe_recipe(model, settings)
    found = bench.images.find_image(recipe.fingerprint)
    image = found or bench.images.build_image(recipe, model)
    result = BuildResult(
        status=ResultStatus.UNCHANGED if found else ResultStatus.BUILT,
        model=model.version.identity,
        image=image.digest,
        fingerprint=recipe.fingerprint,
        builder=recipe.builder,
        reason=recipe.reason,
        size_bytes=image.size_bytes,
        has_proof=image.has_proof,
    )
    if not request.push or repository is None:
        return result
    return dataclasses.replace(result, status=ResultStatus.PUSHED, image=push_image(bench, image, repository, request.tag))


def push_image(bench: Workbench, image: BuiltImage, repository: str, tag: str | None = None) -> ImageDigest:
    """Push an image under a tag, by default one made of its fingerprint; return the digest that the registry has it under."""
    reference = f"{repository}:{tag or image.fingerprint.removeprefix('sha256:')[:16]}"
    with bench.progress.begin(f"push {reference}"):
        return bench.images.push_image(image, reference)
