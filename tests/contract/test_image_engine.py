"""What the builder makes, real engines and tools read: Docker loads, saves, pulls and runs it, skopeo reads the layout."""

from __future__ import annotations

import json
import secrets
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from dockyard_image import (
    ImageStore,
    LockRequest,
    Registries,
    RegistrySettings,
    StoredImage,
    append_layer,
    build_direct,
    fetch_base_layers,
    lock_requirements,
    push,
    resolve_base,
)
from support.images import make_recipe, open_registries

pytestmark = pytest.mark.lab

SCORER = b"""
import json, os, sys
import alpha, beta
try:
    open("/opt/dockyard/written", "w")
except OSError as error:
    refused = type(error).__name__
open("/tmp/written", "w")
facts = {"arguments": sys.argv[1:], "user": [os.getuid(), os.getgid()], "alpha": alpha.name, "refused": refused,
         "model": sorted(os.listdir("/opt/ml/model")), "labels": json.load(open("/opt/dockyard/image.json")),
         "proof": os.path.exists("/opt/dockyard/proof.json")}
print(json.dumps(facts))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """An engine, a registry, and an image name of this test's own; what bears it is removed from the engine."""

    environ: Mapping[str, str]
    host: str
    registries: Registries
    name: str

    @property
    def remote(self) -> str:
        return f"{self.host}/{self.name}:1"


@pytest.fixture
def bench(tmp_path: Path, lab_engine: str, lab_registry: str, lab_environment: Mapping[str, str]) -> Iterator[Bench]:
    environ = {**lab_environment, "DOCKER_HOST": lab_engine}
    name = f"dockyard-test/{secrets.token_hex(6)}"
    settings = RegistrySettings(mirrors={"docker.io": [f"http://{lab_registry}"]})
    with open_registries(tmp_path, settings) as registries:
        yield Bench(environ=environ, host=lab_registry, registries=registries, name=name)
    listed = docker(environ, "images", "--no-trunc", "--format", "{{.Repository}} {{.ID}}").splitlines()
    mine = {line.split()[1] for line in listed if name in line}
    if mine:
        docker(environ, "rmi", "--force", *mine)


def docker(environ: Mapping[str, str], *arguments: str) -> str:
    done = subprocess.run(["docker", *arguments], env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def build(folder: Path, registries: Registries, media: str) -> tuple[ImageStore, StoredImage]:
    base = resolve_base("python:3.11-slim", "linux/amd64", registries)
    recipe = replace(make_recipe(folder, base=base), scorer_files={"__main__.py": SCORER}, media=media)  # type: ignore[arg-type]
    store = ImageStore(folder / "store")
    image = build_direct(recipe, store, folder / "cache")
    return store, append_layer(store, image, {"opt/dockyard/proof.json": b"{}"}, kind="proof")


def run_hardened(environ: Mapping[str, str], image: str) -> Mapping[str, object]:
    """Run as Kubernetes' restricted level would: any user, nothing writable but /tmp, no network."""
    limits = ["--read-only", "--tmpfs=/tmp", "--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--network", "none"]
    facts = json.loads(docker(environ, "run", "--rm", *limits, image))
    assert isinstance(facts, dict)
    return facts


@pytest.mark.parametrize("media", ["docker", "oci"])
def test_pushed_image_is_pulled_and_runs_with_nothing_but_its_own_layers(tmp_path: Path, bench: Bench, media: str) -> None:
    store, image = build(tmp_path, bench.registries, media)
    push(store, image, bench.remote, bench.registries)
    docker(bench.environ, "pull", "--quiet", bench.remote)
    facts = run_hardened(bench.environ, bench.remote)
    assert facts == {
        "arguments": ["serve"],
        "user": [65532, 65532],
        "alpha": "alpha",
        "refused": "OSError",
        "model": ["MLmodel", "code", "model.bin"],
        "labels": dict(image.labels),
        "proof": True,
    }
    inspected = json.loads(docker(bench.environ, "inspect", bench.remote))[0]
    assert inspected["RepoDigests"] == [f"{bench.host}/{bench.name}@{image.digest}"]
    assert inspected["Created"] == "2026-03-04T05:06:07Z"


@pytest.mark.parametrize("media", ["docker", "oci"])
def test_archive_is_loaded_run_saved_and_read_back(tmp_path: Path, bench: Bench, media: str) -> None:
    store, image = build(tmp_path, bench.registries, media)
    fetch_base_layers(store, image, bench.registries)
    with (tmp_path / "image.tar").open("wb") as file:
        store.write_docker_archive(image, file, name=f"{bench.name}:1")
    docker(bench.environ, "load", "--quiet", "--input", str(tmp_path / "image.tar"))
    assert docker(bench.environ, "images", "--quiet", "--no-trunc", f"{bench.name}:1").strip() == image.config_digest
    assert run_hardened(bench.environ, f"{bench.name}:1")["alpha"] == "alpha"

    saving = subprocess.Popen(["docker", "save", f"{bench.name}:1"], env=bench.environ, stdout=subprocess.PIPE)
    assert saving.stdout is not None
    other = ImageStore(tmp_path / "other")
    with saving.stdout:
        again = other.import_docker_archive(saving.stdout, media=image.media)
    assert saving.wait() == 0
    assert [layer.diff_id for layer in again.layers] == [layer.diff_id for layer in image.layers]
    assert (again.config_digest, again.labels) == (image.config_digest, image.labels)
    assert [layer.kind for layer in again.layers] == [layer.kind for layer in image.layers]
    assert other.read_file(again, "opt/dockyard/proof.json") == b"{}"


def test_image_that_an_engine_built_is_imported_and_pushed(tmp_path: Path, bench: Bench) -> None:
    context = tmp_path / "context"
    context.mkdir()
    (context / "Dockerfile").write_text(
        'FROM busybox\nLABEL a=b\nRUN echo made > /made && ln -s /made /link\nCMD ["cat", "/link"]\n'
    )
    docker(bench.environ, "build", "--quiet", "--tag", f"{bench.name}:1", str(context))
    saving = subprocess.Popen(["docker", "save", f"{bench.name}:1"], env=bench.environ, stdout=subprocess.PIPE)
    assert saving.stdout is not None
    store = ImageStore(tmp_path / "store")
    with saving.stdout:
        image = store.import_docker_archive(saving.stdout)
    assert saving.wait() == 0
    assert image.labels == {"a": "b"}
    assert store.read_file(image, "made") == b"made\n"
    proved = append_layer(store, image, {"opt/dockyard/proof.json": b"{}"}, kind="proof")
    pushed = push(store, proved, bench.remote, bench.registries)
    assert docker(bench.environ, "run", "--rm", pushed) == "made\n"


def test_skopeo_reads_and_copies_the_layout(tmp_path: Path, bench: Bench) -> None:
    skopeo = shutil.which("skopeo", path=bench.environ["PATH"])
    assert skopeo, "lab/packages.txt brings skopeo"
    store, image = build(tmp_path, bench.registries, "oci")
    fetch_base_layers(store, image, bench.registries)
    store.add(image, fingerprint="f1", name="wine-1")
    source = f"oci:{store.path}:wine-1"
    inspected = json.loads(subprocess.run([skopeo, "inspect", source], check=True, capture_output=True).stdout)
    assert inspected["Digest"] == image.digest
    assert inspected["Labels"] == dict(image.labels)
    subprocess.run([skopeo, "copy", "--quiet", source, f"dir:{tmp_path / 'copy'}"], check=True, capture_output=True)
    copied = {path.name for path in (tmp_path / "copy").iterdir()}
    assert {layer.digest.removeprefix("sha256:") for layer in image.layers} <= copied


def test_skopeo_finds_docker_media_types_in_the_registry(tmp_path: Path, bench: Bench) -> None:
    skopeo = shutil.which("skopeo", path=bench.environ["PATH"])
    assert skopeo, "lab/packages.txt brings skopeo"
    store, image = build(tmp_path, bench.registries, "docker")
    pushed = push(store, image, bench.remote, bench.registries)
    command = [skopeo, "inspect", "--raw", "--tls-verify=false", f"docker://{pushed}"]
    raw = subprocess.run(command, check=True, capture_output=True).stdout
    assert raw == store.blobs.read(image.digest)
    assert b"vnd.oci" not in raw


def test_wheels_of_the_users_own_index_run_in_the_image(tmp_path: Path, bench: Bench) -> None:
    cache = tmp_path / "cache"
    lock = lock_requirements(LockRequest(requirements=("numpy==2.4.6",), cache=cache))
    program = b"import numpy; print(numpy.__version__, numpy.linalg.det(numpy.eye(3)))"
    base = resolve_base("python:3.11-slim", "linux/amd64", bench.registries)
    recipe = replace(make_recipe(tmp_path, base=base), lock=lock, scorer_files={"__main__.py": program})
    store = ImageStore(tmp_path / "store")
    pushed = push(store, build_direct(recipe, store, cache), bench.remote, bench.registries)
    assert docker(bench.environ, "run", "--rm", pushed) == "2.4.6 1.0\n"
