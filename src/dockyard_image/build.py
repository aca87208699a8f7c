"""The direct builder: a serving image from locked wheels, the scorer and a model, without an engine and without pip.

Owns what goes into which layer, from what changes least to what changes most. Must not push. Equal recipes give equal digests
on every machine.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from dockyard_image.base import ResolvedBase
from dockyard_image.blobs import Blobs
from dockyard_image.config import MODEL, ROOT, SCORER, SITE_PACKAGES, extend_config, label_config, make_config
from dockyard_image.dependencies import DependencyLayers
from dockyard_image.errors import RecipeError
from dockyard_image.image import StoredImage, read_image
from dockyard_image.layer import LayerBlob, store_layer
from dockyard_image.lockfile import Lock
from dockyard_image.manifest import Descriptor, Manifest, decode_manifest, decode_object, encode_json, encode_manifest
from dockyard_image.media import Dialect, dialect_of, media_types, translate_layer
from dockyard_image.model_files import list_model_files
from dockyard_image.platforms import find_platform
from dockyard_image.progress import Counter, Progress, ignore_progress
from dockyard_image.store import ImageStore
from dockyard_image.tar_stream import entry_of_bytes, stream_tar
from dockyard_image.wheels import WheelCache


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectRecipe:
    """All that goes into an image. `scorer_files` are named from the scorer's folder; `labels` also go into image.json."""

    base: ResolvedBase
    platform: str
    python: str
    lock: Lock
    scorer_files: Mapping[str, bytes]
    model_dir: Path
    labels: Mapping[str, str]
    media: Dialect


def build_direct(
    recipe: DirectRecipe,
    store: ImageStore,
    cache: Path,
    *,
    wheels: WheelCache | None = None,
    progress: Progress = ignore_progress,
) -> StoredImage:
    """Build an image into the store. It is not listed there until `ImageStore.add`, so hold the store in between.

    Raises RecipeError (`base-python-differs`, `base-platform-differs`, `base-media-unsupported`, `model-unreadable`,
    `layer-invalid`) and WheelError (`wheel-invalid`, `wheel-unavailable`, `index-unreachable`).
    """
    _check_base(recipe)
    base_layers = [_translate(layer, recipe.media) for layer in recipe.base.layers]
    packages = DependencyLayers(store.blobs, cache / "layers", wheels or WheelCache(cache / "wheels"))
    with store.hold():
        ours = [("dependencies", layer) for layer in packages.store(recipe.lock, SITE_PACKAGES, progress)]
        ours += [("scorer", _store_files(store.blobs, {f"{SCORER}/{n}": c for n, c in recipe.scorer_files.items()}))]
        ours += [("model", _store_model(store.blobs, recipe, progress))]
        config = make_config(recipe.base, [(kind, layer.diff_id) for kind, layer in ours], recipe.labels)
        stack = [*base_layers, *(_describe_layer(layer, recipe.media) for _, layer in ours)]
        image = _store_image(store.blobs, config, stack, recipe.media)
    return replace(image, base=recipe.base.source or recipe.base.digest)


def add_labels(store: ImageStore, image: StoredImage, labels: Mapping[str, str]) -> StoredImage:
    """The image with more labels, and the same layers; not listed until it is added."""
    with store.hold():
        manifest = decode_manifest(store.blobs.read(image.digest))
        config = label_config(decode_object(store.blobs.read(image.config_digest)), labels)
        labelled = _store_image(store.blobs, config, manifest.layers, dialect_of(manifest.media_type))
    return replace(labelled, base=image.base)


def append_layer(store: ImageStore, image: StoredImage, files: Mapping[str, bytes], *, kind: str = "extra") -> StoredImage:
    """The image with one more layer of small files (named from the image's root) on top; not listed until it is added."""
    with store.hold():
        manifest = decode_manifest(store.blobs.read(image.digest))
        media = dialect_of(manifest.media_type)
        layer = _store_files(store.blobs, files)
        config = extend_config(decode_object(store.blobs.read(image.config_digest)), kind, layer.diff_id)
        extended = _store_image(store.blobs, config, [*manifest.layers, _describe_layer(layer, media)], media)
    return replace(extended, base=image.base)


def _check_base(recipe: DirectRecipe) -> None:
    base = recipe.base
    if base.platform != find_platform(recipe.platform).name:
        message = f"{base.name} is for {base.platform}, the image is to be for {recipe.platform}"
        raise RecipeError("base-platform-differs", message, "Resolve the base for the same platform.")
    if base.python and base.python != recipe.python:
        message = f"{base.name} has Python {base.python}, the model needs {recipe.python}"
        raise RecipeError("base-python-differs", message, f"Choose a base image with Python {recipe.python}.")


def _translate(layer: Descriptor, media: Dialect) -> Descriptor:
    media_type = translate_layer(layer.media_type, media)
    if media_type is None:
        message = f"the base has a layer of type {layer.media_type}, which {media} manifests cannot name"
        raise RecipeError("base-media-unsupported", message, "Choose a base image with gzip layers.")
    return replace(layer, media_type=media_type)


def _store_files(blobs: Blobs, files: Mapping[str, bytes]) -> LayerBlob:
    return store_layer(stream_tar(entry_of_bytes(path, content) for path, content in files.items()), blobs)


def _store_model(blobs: Blobs, recipe: DirectRecipe, progress: Progress) -> LayerBlob:
    entries = list_model_files(recipe.model_dir, MODEL)
    entries.append(entry_of_bytes(f"{ROOT}/image.json", encode_json(recipe.labels)))
    counter = Counter("packing the model", sum(entry.size for entry in entries), progress)
    return store_layer(stream_tar(entries), blobs, counter)


def _describe_layer(layer: LayerBlob, media: Dialect) -> Descriptor:
    return Descriptor(media_type=media_types(media).layer_gzip, digest=layer.digest, size=layer.size)


def _store_image(blobs: Blobs, config: bytes, layers: Sequence[Descriptor], media: Dialect) -> StoredImage:
    types = media_types(media)
    described = Descriptor(media_type=types.config, digest=blobs.put(config), size=len(config))
    manifest = Manifest(media_type=types.manifest, config=described, layers=tuple(layers))
    return read_image(blobs, blobs.put(encode_manifest(manifest)))
