"""Owns the ImageFactory and ImageCleaner ports: decides builder and base, builds, proves, pushes and frees.

A decision is made once, when the recipe is described, and kept for the build: what was looked up does not change in between.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from dockyard.adapters.images.bases import Bases
from dockyard.adapters.images.dockerfile import BuildContext
from dockyard.adapters.images.engine import build_with_engine
from dockyard.adapters.images.errors import translate_image_error, translated
from dockyard.adapters.images.labels import make_labels
from dockyard.adapters.images.library import ImageLibrary
from dockyard.adapters.images.proofs import Proofs
from dockyard.adapters.images.prover import Recording
from dockyard.domain.errors import BuildError, UnavailableError, UsageError
from dockyard.domain.image import (
    BuilderKind,
    BuiltImage,
    Fingerprint,
    Footprint,
    ImageDigest,
    ImageRecipe,
    ImageSettings,
    read_footprint,
)
from dockyard.ports import Progress, Request, ResolvedModel
from dockyard_image.base import ResolvedBase
from dockyard_image.build import DirectRecipe, add_labels, append_layer, build_direct
from dockyard_image.errors import LockError
from dockyard_image.fingerprint import FingerprintParts, digest_files, fingerprint
from dockyard_image.image import StoredImage
from dockyard_image.lock import LockRequest, lock_requirements
from dockyard_image.lockfile import Lock
from dockyard_image.pull import read_image_labels
from dockyard_image.push import push
from dockyard_image.registries import Registries
from dockyard_image.requirements import RequirementSet, rewrite_requirements
from dockyard_image.unpacked import PROOF_FILE, PROOF_LAYER, remove_compiled
from dockyard_scorer.layer import REQUIREMENTS, layer_files, scorer_digest

_DIRECT_REASON = "all requirements have wheels, no engine needed"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Decision:
    """What building needs beside the recipe."""

    base: ResolvedBase
    requirements: RequirementSet
    lock: Lock | None
    labels: Mapping[str, str]
    builder: BuilderKind
    reason: str
    lock_digest: str


class ProofRecorder(Protocol):
    """What runs a finished image once."""

    def record_proof(self, image: StoredImage, *, is_unpackable: bool) -> Recording:
        """What a run of an image gives that is not listed yet.

        Raises `model-does-not-answer`.
        """
        ...


class DockyardImages:
    """Images of models, in the local store."""

    def __init__(
        self, library: ImageLibrary, prover: ProofRecorder, registries: Registries, cache: Path, progress: Progress
    ) -> None:
        self._library = library
        self._prover = prover
        self._registries = registries
        self._cache = cache
        self._progress = progress
        self._bases = Bases(registries, cache / "bases")
        self._proofs = Proofs(library=library, registries=registries, folder=cache / "proofs")
        self._decisions: dict[Fingerprint, _Decision] = {}

    def describe_recipe(self, model: ResolvedModel, settings: ImageSettings) -> ImageRecipe:
        """Lock the requirements, look the base up and choose the builder. Changes nothing but caches.

        Raises `requirements-unsatisfiable`, `no-wheel` (with the direct builder asked for), `index-unreachable`,
        `base-not-found`, `registry-unreachable`.
        """
        base = self._bases.resolve(settings, model.version.python)
        decision = self._decide(model, settings, base)
        parts = FingerprintParts(
            base_digest=base.digest,
            platform=settings.platform,
            python=model.version.python,
            lock_digest=decision.lock_digest,
            scorer_digest=scorer_digest(),
            model_digest=model.version.identity.digest,
            media=settings.format.value,
            builder=decision.builder.value,
            labels=decision.labels,
        )
        mark = Fingerprint(fingerprint(parts))
        self._decisions[mark] = decision
        return ImageRecipe(
            fingerprint=mark,
            builder=decision.builder,
            reason=decision.reason,
            settings=settings,
            base_digest=base.digest,
            python=model.version.python,
            lock_digest=decision.lock_digest,
        )

    def find_image(self, fingerprint: Fingerprint) -> BuiltImage | None:
        """The image of a fingerprint in the local store."""
        with translated():
            image = self._library.store.find(fingerprint)
        return _describe(image) if image else None

    def build_image(self, recipe: ImageRecipe, model: ResolvedModel) -> BuiltImage:
        """Build the image, run it once with the model's input example, and list it with the answer as its last layer."""
        decision = self._decisions[recipe.fingerprint]
        labels = {**decision.labels, "dockyard.fingerprint": recipe.fingerprint}
        store = self._library.store
        with translated(), store.hold():
            if decision.builder is BuilderKind.DIRECT:
                image = self._build_direct(recipe, model, decision, labels)
            else:
                image = self._build_with_engine(recipe, model, decision, labels)
            # Listed only when it has answered: what cannot answer is never found. Until then the hold keeps it.
            return _describe(store.add(self._prove(recipe, image), fingerprint=recipe.fingerprint))

    def push_image(self, image: BuiltImage, reference: str) -> ImageDigest:
        """Send an image to a registry; return `repository@sha256:…`.

        Raises `registry-unreachable`, `credentials-refused`, `registry-refused`, UsageError for an image without a base.
        """
        stored = self._library.require(image.fingerprint)
        if not stored.has_base:
            raise UsageError(
                "usage", "an image without a base cannot be pushed", hint="build it with a base: leave `image.base` out"
            )
        with translated():
            return ImageDigest(push(self._library.store, stored, reference, self._registries, progress=self._progress.advance))

    def read_proof(self, fingerprint: Fingerprint, image: ImageDigest | None = None) -> Request | None:
        """The input example that the image was proved with; None where the model has none."""
        if image is not None and "@" in image:
            self._proofs.fetch_proof(fingerprint, image)
        proof = self._proofs.read_proof(fingerprint)
        return Request(body=proof.body.encode(), content_type=proof.content_type) if proof else None

    def read_footprint(self, image: ImageDigest) -> Footprint | None:
        """What was measured of an image that was pushed, `repository@sha256:…`; None where it does not say.

        Raises `registry-unreachable`, `credentials-refused`, `registry-refused`, `base-not-found`.
        """
        with translated():
            return read_footprint(read_image_labels(image, self._registries))

    def list_unused_images(self, keep: frozenset[Fingerprint]) -> tuple[BuiltImage, ...]:
        """Images of the local store that are not among those to keep."""
        with translated():
            images = self._library.store.list()
        return tuple(_describe(image) for image in images if image.fingerprint not in keep)

    def delete_image(self, fingerprint: Fingerprint) -> int:
        """Remove an image with everything that only it needs; return the bytes freed."""
        with translated():
            self._library.store.remove(self._library.require(fingerprint).digest)
            freed = self._library.store.collect_garbage().bytes
            freed += self._library.store.collect_unpacked(self._library.unpacked)
            return freed + remove_compiled(self._cache, self._library.unpacked)

    def _decide(self, model: ResolvedModel, settings: ImageSettings, base: ResolvedBase) -> _Decision:
        wanted = RequirementSet(
            requirements=rewrite_requirements(model.version.requirements, REQUIREMENTS), constraints=model.version.constraints
        )
        labels = make_labels(model.version, base=base.name, base_digest=base.digest)
        reason = _why_engine(settings)
        if reason is None:
            try:
                lock = self._lock(wanted, model.version.python, settings.platform)
            except LockError as error:
                if error.code != "no-wheel" or settings.builder is BuilderKind.DIRECT:
                    raise translate_image_error(error) from error
                reason = error.message
            else:
                return _Decision(
                    base=base,
                    requirements=wanted,
                    lock=lock,
                    labels=labels,
                    builder=BuilderKind.DIRECT,
                    reason=_DIRECT_REASON,
                    lock_digest=lock.digest,
                )
        if not base.source:
            raise BuildError(
                "no-wheel",
                f"the image needs the engine builder ({reason}), and the process runtime cannot run what an engine builds",
                hint="start a Docker engine, and use `--runtime docker`",
            )
        return _Decision(
            base=base,
            requirements=wanted,
            lock=None,
            labels=labels,
            builder=BuilderKind.ENGINE,
            reason=reason,
            lock_digest=_digest_requirements(wanted, settings),
        )

    def _lock(self, wanted: RequirementSet, python: str, platform: str) -> Lock:
        return lock_requirements(
            LockRequest(
                requirements=wanted.requirements,
                constraints=wanted.constraints,
                python=python,
                platform=platform,
                cache=self._cache,
            )
        )

    def _build_direct(
        self, recipe: ImageRecipe, model: ResolvedModel, decision: _Decision, labels: Mapping[str, str]
    ) -> StoredImage:
        if decision.lock is None:
            raise BuildError("recipe-invalid", "the direct builder was chosen without a lock")
        direct = DirectRecipe(
            base=decision.base,
            platform=recipe.settings.platform,
            python=recipe.python,
            lock=decision.lock,
            scorer_files=layer_files(),
            model_dir=model.folder,
            labels=labels,
            media=recipe.settings.format.value,
        )
        return build_direct(direct, self._library.store, self._cache, progress=self._progress.advance)

    def _build_with_engine(
        self, recipe: ImageRecipe, model: ResolvedModel, decision: _Decision, labels: Mapping[str, str]
    ) -> StoredImage:
        context = BuildContext(
            base=decision.base.source,
            requirements=decision.requirements.requirements,
            constraints=decision.requirements.constraints,
            system_packages=recipe.settings.system_packages,
            scorer_files=layer_files(),
            model=model.folder,
            labels=labels,
        )
        return build_with_engine(
            context,
            self._library.store,
            platform=recipe.settings.platform,
            media=recipe.settings.format.value,
            progress=self._progress,
        )

    def _prove(self, recipe: ImageRecipe, image: StoredImage) -> StoredImage:
        """The image with its answer as the last layer, and what it took as labels."""
        store, found = self._library.store, self._record(recipe, image)
        if found.footprint is not None:
            image = add_labels(store, image, found.footprint.to_labels())
        return append_layer(store, image, {PROOF_FILE: found.proof}, kind=PROOF_LAYER) if found.proof else image

    def _record(self, recipe: ImageRecipe, image: StoredImage) -> Recording:
        with self._progress.begin("ask the model its own input example"):
            try:
                found = self._prover.record_proof(image, is_unpackable=recipe.builder is BuilderKind.DIRECT)
            except UnavailableError as error:
                self._progress.note(f"the image carries no proof of its answers: {error.message}")
                return Recording()
        if found.proof is None:
            self._progress.note("the model was logged without an input example: its answers cannot be proved")
        return found


def _describe(image: StoredImage) -> BuiltImage:
    return BuiltImage(
        fingerprint=Fingerprint(image.fingerprint),
        digest=ImageDigest(image.digest),
        size_bytes=image.size,
        has_proof=any(layer.kind == PROOF_LAYER for layer in image.layers),
        footprint=read_footprint(image.labels),
    )


def _why_engine(settings: ImageSettings) -> str | None:
    if settings.builder is BuilderKind.ENGINE:
        return "asked for"
    if settings.system_packages:
        return "it needs system packages"
    return None


def _digest_requirements(wanted: RequirementSet, settings: ImageSettings) -> str:
    lines = [*wanted.requirements, *wanted.constraints, *settings.system_packages]
    return digest_files({"requirements": json.dumps(lines).encode()})
