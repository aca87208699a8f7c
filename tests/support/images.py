"""What tests of the image builder build from: tiny wheels in a folder, a base image, recipes.

Owns their making. Nothing here needs a network, an engine or an installer.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from dockyard_image import (
    DirectRecipe,
    DockerConfig,
    ImageStore,
    IndexSettings,
    Lock,
    LockRequest,
    Registries,
    RegistrySettings,
    ResolvedBase,
    RetryPolicy,
    StoredImage,
    build_direct,
    host_base,
    lock_requirements,
    read_index_settings,
)
from dockyard_image.layer import store_layer
from dockyard_image.lockfile import LockedWheel, make_lock
from dockyard_image.manifest import Descriptor, Manifest, encode_json, encode_manifest
from dockyard_image.media import Dialect, media_types

IMPATIENT = RetryPolicy(first_wait=0.001)
LABELS = {"dockyard.model.name": "wine", "org.opencontainers.image.created": "2026-03-04T05:06:07Z"}


def make_wheel(folder: Path, name: str, version: str, files: Mapping[str, bytes | str], *, tag: str = "py3-none-any") -> Path:
    """A wheel with some files; `Requires-Dist` lines may be given as the file `requires`."""
    folder.mkdir(parents=True, exist_ok=True)
    distribution = name.replace("-", "_")
    info = f"{distribution}-{version}.dist-info"
    contents = {path: data.encode() if isinstance(data, str) else data for path, data in files.items()}
    needs = contents.pop("requires", b"").decode().splitlines()
    requires = "".join(f"Requires-Dist: {need}\n" for need in needs)
    contents[f"{info}/METADATA"] = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{requires}".encode()
    contents[f"{info}/WHEEL"] = f"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: {tag}\n".encode()
    contents[f"{info}/RECORD"] = "".join(f"{path},,\n" for path in contents).encode()
    wheel = folder / f"{distribution}-{version}-{tag}.whl"
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, data in contents.items():
            entry = zipfile.ZipInfo(path)
            entry.external_attr = (0o755 if path.endswith(".so") else 0o644) << 16
            archive.writestr(entry, data)
    return wheel


def offline_indexes(links: Path) -> IndexSettings:
    """uv's world is one folder of wheels; the settings of whoever runs the tests do not count."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("UV_", "PIP_"))}
    offline = {"UV_FIND_LINKS": str(links), "UV_NO_INDEX": "1", "UV_OFFLINE": "1", "UV_NO_CONFIG": "1"}
    return read_index_settings(kept | offline, links)


def lock_offline(requirements: tuple[str, ...], links: Path, cache: Path) -> Lock:
    """Lock requirements to the wheels in a folder, by uv."""
    return lock_requirements(LockRequest(requirements=requirements, cache=cache, indexes=offline_indexes(links)))


def lock_files(*wheels: Path) -> Lock:
    """The lock of some wheel files, without uv's help."""
    return make_lock(
        LockedWheel(
            name=wheel.name.split("-")[0].replace("_", "-"),
            version=wheel.name.split("-")[1],
            filename=wheel.name,
            sha256=sha256(wheel.read_bytes()).removeprefix("sha256:"),
            url=wheel.as_uri(),
            size=wheel.stat().st_size,
        )
        for wheel in wheels
    )


def make_model(folder: Path) -> Path:
    """A folder that looks like a logged model."""
    (folder / "code" / "deep").mkdir(parents=True)
    (folder / "MLmodel").write_text("flavors: {}\n")
    (folder / "code" / "deep" / "größe.py").write_text("x = 1\n")
    (folder / "model.bin").write_bytes(bytes(range(256)) * 5000)
    return folder


def make_recipe(folder: Path, *, base: ResolvedBase | None = None) -> DirectRecipe:
    """A recipe with two tiny wheels; everything it needs is made below `folder`."""
    links = folder / "links"
    alpha = make_wheel(links, "alpha", "1.0", {"alpha/__init__.py": "name = 'alpha'\n"})
    beta = make_wheel(links, "beta", "2.1", {"beta.py": "name = 'beta'\n", "beta_native.so": b"\x7fELF" * 100})
    return DirectRecipe(
        base=base or host_base("3.11"),
        platform="linux/amd64",
        python="3.11",
        lock=lock_files(alpha, beta),
        scorer_files={"__main__.py": b"print('scorer')\n", "dockyard_scorer/__init__.py": b""},
        model_dir=make_model(folder / "model"),
        labels=LABELS,
        media="oci",
    )


def build_image(folder: Path, **changes: object) -> tuple[ImageStore, StoredImage]:
    """An image of the recipe above in a store below `folder`; `changes` replace fields of the recipe."""
    recipe = replace(make_recipe(folder), **changes)  # type: ignore[arg-type]
    store = ImageStore(folder / "store")
    return store, build_direct(recipe, store, folder / "cache")


def layer_tar(files: Mapping[str, bytes]) -> bytes:
    """A tar archive of some files, as another builder would make one."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for path, content in files.items():
            member = tarfile.TarInfo(path)
            member.size, member.mtime = len(content), 1_700_000_000
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def make_base(
    store: ImageStore, *, python: str = "3.11.7", media: Dialect = "oci", platform: str = "linux/amd64"
) -> StoredImage:
    """An image like the official Python ones, of two small layers."""
    system, _, architecture = platform.partition("/")
    types = media_types(media)
    layers = [store_layer([layer_tar({name: name.encode() * 500})], store.blobs) for name in ("bin/sh", "usr/bin/python3")]
    config = encode_json(
        {
            "os": system,
            "architecture": architecture,
            "config": {"Env": ["PATH=/usr/bin", f"PYTHON_VERSION={python}", "HOME=/root"]},
            "rootfs": {"type": "layers", "diff_ids": [layer.diff_id for layer in layers]},
        }
    )
    manifest = Manifest(
        media_type=types.manifest,
        config=Descriptor(media_type=types.config, digest=store.blobs.put(config), size=len(config)),
        layers=tuple(Descriptor(media_type=types.layer_gzip, digest=one.digest, size=one.size) for one in layers),
    )
    return store.load(store.blobs.put(encode_manifest(manifest)))


def open_registries(folder: Path, settings: RegistrySettings | None = None) -> Registries:
    """Registries that know nothing of the machine's own Docker configuration and do not wait between tries."""
    return Registries(settings, docker_config=DockerConfig(folder, {}), policy=IMPATIENT)


def sha256(content: bytes) -> str:
    """The digest of some bytes."""
    return "sha256:" + hashlib.sha256(content).hexdigest()


def encode(document: object) -> bytes:
    """JSON bytes."""
    return json.dumps(document).encode()
