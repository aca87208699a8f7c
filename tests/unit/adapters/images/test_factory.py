"""The image factory over the real builder, store and registry client: decisions, proofs, pushes, and what a failure leaves.

Wheels are tiny ones in a folder, the registry is one in memory, and the prover answers as it is told.
"""

from __future__ import annotations

import dataclasses
import io
import os
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from dockyard.adapters.images.factory import DockyardImages
from dockyard.adapters.images.library import ImageLibrary
from dockyard.adapters.images.prover import Recording
from dockyard.domain.errors import BuildError, DockyardError, UnavailableError, UsageError
from dockyard.domain.image import BuilderKind, Fingerprint, Footprint, ImageSettings
from dockyard.ports import ResolvedModel
from dockyard.testing.surroundings import RecordedProgress
from dockyard_image import ImageStore, Registries, StoredImage, fetch_base_layers, push
from dockyard_image.errors import StoreError
from dockyard_image.files import lock_file
from dockyard_image.testing import FakeRegistry
from dockyard_scorer.proof import Proof, dump_proof
from support.any_bench import make_resolved
from support.images import make_base, make_model, make_wheel, open_registries

PROOF = dump_proof(Proof(content_type="application/json", body='{"inputs": [1]}', answer={"predictions": [1.0]}))
HOST = ImageSettings(base="host")


@dataclass(kw_only=True)
class ToldProver:
    """Answers as it is told, and remembers what it was asked."""

    answer: bytes | DockyardError | None = PROOF
    footprint: Footprint | None = None
    asked: list[tuple[StoredImage, bool]] = field(default_factory=list)

    def record_proof(self, image: StoredImage, *, is_unpackable: bool) -> Recording:
        self.asked.append((image, is_unpackable))
        if isinstance(self.answer, DockyardError):
            raise self.answer
        return Recording(proof=self.answer, footprint=self.footprint)


@dataclass(kw_only=True)
class NosyProver(ToldProver):
    """Looks which images are listed while it is asked, and whether the store is held."""

    store: ImageStore
    listed: list[tuple[StoredImage, ...]] = field(default_factory=list)

    def record_proof(self, image: StoredImage, *, is_unpackable: bool) -> Recording:
        self.listed.append(self.store.list())
        with pytest.raises(StoreError, match="another process"), lock_file(self.store.path / "store.lock", wait_seconds=0):
            raise AssertionError("garbage could be collected now")
        return super().record_proof(image, is_unpackable=is_unpackable)


@dataclass(kw_only=True)
class Bench:
    """A factory with handles on its parts."""

    folder: Path
    registries: Registries
    prover: ToldProver = field(default_factory=ToldProver)
    progress: RecordedProgress = field(default_factory=RecordedProgress)

    @property
    def store(self) -> ImageStore:
        return ImageStore(self.folder / "images")

    @property
    def library(self) -> ImageLibrary:
        def fetch(image: StoredImage) -> None:
            fetch_base_layers(self.store, image, self.registries)

        return ImageLibrary(store=self.store, unpacked=self.folder / "unpacked", fetch_base=fetch)

    def open(self) -> DockyardImages:
        return DockyardImages(self.library, self.prover, self.registries, self.folder / "cache", self.progress)

    def model(self, version: int = 1, requirements: tuple[str, ...] = ("mlflow==3.17.2",)) -> ResolvedModel:
        folder = self.folder / f"model-{version}"
        if not folder.exists():
            make_model(folder)
        resolved = make_resolved(version)
        described = dataclasses.replace(resolved.version, requirements=requirements)
        return dataclasses.replace(resolved, version=described, folder=folder)

    def build(self, settings: ImageSettings = HOST, version: int = 1) -> Fingerprint:
        images, model = self.open(), self.model(version)
        return images.build_image(images.describe_recipe(model, settings), model).fingerprint


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    for name in [name for name in os.environ if name.startswith(("UV_", "PIP_"))]:
        monkeypatch.delenv(name)
    for name, value in {"UV_FIND_LINKS": str(tmp_path / "links"), "UV_NO_INDEX": "1", "UV_OFFLINE": "1"}.items():
        monkeypatch.setenv(name, value)
    versions = {"mlflow-skinny": "3.17.2", "uvicorn": "0.40", "prometheus-client": "0.22", "pandas": "3.0", "numpy": "2.4"}
    for name, version in versions.items():
        make_wheel(tmp_path / "links", name, version, {f"{name.replace('-', '_')}/__init__.py": f"name = '{name}'\n"})
    with open_registries(tmp_path) as registries:
        yield Bench(folder=tmp_path, registries=registries)


@pytest.fixture
def registry(bench: Bench) -> Iterator[FakeRegistry]:
    """A registry with a base image `python:3.11`."""
    with FakeRegistry() as registry:
        store = ImageStore(bench.folder / "base")
        push(store, make_base(store), f"{registry.host}/python:3.11", bench.registries)
        yield registry


def test_what_was_measured_is_in_the_labels_and_read_back_from_the_registry(bench: Bench, registry: FakeRegistry) -> None:
    bench.prover.footprint = Footprint(memory_mib=320, load_seconds=16)
    images, model = bench.open(), bench.model()
    settings = ImageSettings(base=f"{registry.host}/python:3.11")
    image = images.build_image(images.describe_recipe(model, settings), model)
    assert image.footprint == bench.prover.footprint
    assert images.find_image(image.fingerprint) == image
    pushed = images.push_image(image, f"{registry.host}/wine:1")
    assert images.read_footprint(pushed) == image.footprint


def test_another_machine_fetches_the_proof_alone_from_the_registry(bench: Bench, registry: FakeRegistry) -> None:
    images = bench.open()
    fingerprint = bench.build(dataclasses.replace(HOST, base=f"{registry.host}/python:3.11"))
    built = images.find_image(fingerprint)
    assert built is not None
    pushed = images.push_image(built, f"{registry.host}/models/wine:1")
    elsewhere = Bench(folder=bench.folder / "elsewhere", registries=bench.registries)
    with pytest.raises(BuildError, match="not in the local store"):
        elsewhere.open().read_proof(fingerprint)
    registry.requests.clear()
    assert elsewhere.open().read_proof(fingerprint, pushed) == images.read_proof(fingerprint)
    assert len(registry.requests) == 3  # manifest, config and one layer
    assert elsewhere.open().read_proof(fingerprint) == images.read_proof(fingerprint)  # it is kept


def test_image_without_a_proof_has_none_elsewhere_either(bench: Bench, registry: FakeRegistry) -> None:
    bench.prover.answer = None
    images = bench.open()
    fingerprint = bench.build(dataclasses.replace(HOST, base=f"{registry.host}/python:3.11"))
    built = images.find_image(fingerprint)
    assert built is not None
    pushed = images.push_image(built, f"{registry.host}/models/wine:1")
    elsewhere = Bench(folder=bench.folder / "elsewhere", registries=bench.registries)
    assert elsewhere.open().read_proof(fingerprint, pushed) is None


def test_image_is_built_proved_and_found_again(bench: Bench) -> None:
    fingerprint = bench.build()
    image = bench.open().find_image(fingerprint)
    assert image is not None
    assert image.has_proof
    request = bench.open().read_proof(fingerprint)
    assert request is not None
    assert (request.body, request.content_type) == (b'{"inputs": [1]}', "application/json")
    assert bench.library.read_proof(fingerprint) is not None
    assert [is_unpackable for _, is_unpackable in bench.prover.asked] == [True]
    assert len(bench.store.list()) == 1


def test_image_is_listed_only_when_it_is_proved_and_kept_from_garbage_collection_until_then(bench: Bench) -> None:
    prover = bench.prover = NosyProver(store=bench.store)
    bench.build()
    assert prover.listed == [()]


def test_same_model_gives_the_same_recipe_and_image_elsewhere(bench: Bench, tmp_path: Path) -> None:
    one = bench.build()
    twin = Bench(folder=tmp_path / "twin", registries=bench.registries)
    assert twin.build() == one
    assert twin.library.find_digest(one) == bench.library.find_digest(one)
    assert twin.library.find_config_digest(one) == bench.library.find_config_digest(one)


def test_another_version_of_the_same_files_is_another_image(bench: Bench) -> None:
    images, model = bench.open(), bench.model()
    identity = dataclasses.replace(model.version.identity, version="2")
    other = dataclasses.replace(model, version=dataclasses.replace(model.version, identity=identity))
    assert images.describe_recipe(model, HOST).fingerprint != images.describe_recipe(other, HOST).fingerprint


def test_model_without_example_is_built_without_proof_and_said_so(bench: Bench) -> None:
    bench.prover.answer = None
    fingerprint = bench.build()
    image = bench.open().find_image(fingerprint)
    assert image is not None
    assert not image.has_proof
    assert bench.open().read_proof(fingerprint) is None
    assert bench.library.unpack_image(fingerprint).proof is None
    assert "without an input example" in bench.progress.notes[-1]


def test_where_nothing_can_run_it_the_image_is_built_without_proof_and_said_so(bench: Bench) -> None:
    bench.prover.answer = UnavailableError("docker-unavailable", "no Docker engine answers")
    bench.build()
    assert "carries no proof" in bench.progress.notes[-1]


def test_model_that_fails_on_its_example_leaves_no_image(bench: Bench) -> None:
    bench.prover.answer = BuildError("model-does-not-answer", "it raises")
    with pytest.raises(BuildError, match="it raises"):
        bench.build()
    assert bench.open().list_unused_images(frozenset()) == ()
    fingerprint = bench.open().describe_recipe(bench.model(), HOST).fingerprint
    assert bench.open().find_image(fingerprint) is None


def test_unpacked_image_has_everything_that_a_process_needs(bench: Bench) -> None:
    image = bench.library.unpack_image(bench.build())
    assert image.python == "3.11"
    assert (image.site_packages[0] / "mlflow_skinny" / "__init__.py").is_file()
    assert (image.scorer / "__main__.py").is_file()
    assert (image.model / "MLmodel").is_file()
    assert image.image_json.is_file()
    assert image.proof is not None
    assert image.proof.read_bytes() == PROOF


def test_requirement_without_a_wheel_needs_an_engine_and_says_so(bench: Bench) -> None:
    model = bench.model(requirements=("mlflow==3.17.2", "local-thing @ git+https://git.example/thing"))
    with pytest.raises(BuildError) as caught:
        bench.open().describe_recipe(model, HOST)
    assert caught.value.code == "no-wheel"
    assert "--runtime docker" in (caught.value.hint or "")


def test_requirement_without_a_wheel_goes_to_the_engine_builder_with_the_reason(bench: Bench, registry: FakeRegistry) -> None:
    model = bench.model(requirements=("mlflow==3.17.2", "local-thing @ git+https://git.example/thing"))
    settings = ImageSettings(base=f"{registry.host}/python:{{python}}")
    recipe = bench.open().describe_recipe(model, settings)
    assert recipe.builder is BuilderKind.ENGINE
    assert "local-thing" in recipe.reason
    with pytest.raises(BuildError) as caught:
        bench.open().describe_recipe(model, dataclasses.replace(settings, builder=BuilderKind.DIRECT))
    assert caught.value.code == "no-wheel"


@pytest.mark.parametrize("changes", [{"builder": BuilderKind.ENGINE}, {"system_packages": ("libgomp1",)}])
def test_engine_is_chosen_where_it_is_asked_for_or_needed(
    bench: Bench, registry: FakeRegistry, changes: dict[str, object]
) -> None:
    settings = dataclasses.replace(ImageSettings(base=f"{registry.host}/python:3.11"), **changes)  # type: ignore[arg-type]
    direct = bench.open().describe_recipe(
        bench.model(), dataclasses.replace(settings, builder=BuilderKind.AUTO, system_packages=())
    )
    engine = bench.open().describe_recipe(bench.model(), settings)
    assert (direct.builder, engine.builder) == (BuilderKind.DIRECT, BuilderKind.ENGINE)
    assert direct.fingerprint != engine.fingerprint


def test_base_is_looked_up_once_and_meant_by_digest_from_then_on(bench: Bench, registry: FakeRegistry) -> None:
    settings = ImageSettings(base=f"{registry.host}/python:{{python}}")
    first = bench.open().describe_recipe(bench.model(), settings)
    asked = len(registry.requests)
    store = ImageStore(bench.folder / "base")
    push(store, make_base(store, python="3.11.8"), f"{registry.host}/python:3.11", bench.registries)
    pushed = len(registry.requests)
    again = bench.open().describe_recipe(bench.model(), settings)
    assert asked > 0
    assert len(registry.requests) == pushed
    assert again.fingerprint == first.fingerprint


def test_damaged_note_of_a_base_is_looked_up_anew(bench: Bench, registry: FakeRegistry) -> None:
    settings = ImageSettings(base=f"{registry.host}/python:3.11")
    first = bench.open().describe_recipe(bench.model(), settings)
    for path in (bench.folder / "cache" / "bases").iterdir():
        path.write_text("{")
    assert bench.open().describe_recipe(bench.model(), settings).fingerprint == first.fingerprint


def test_base_that_is_not_there_is_said_so(bench: Bench, registry: FakeRegistry) -> None:
    with pytest.raises(DockyardError) as caught:
        bench.open().describe_recipe(bench.model(), ImageSettings(base=f"{registry.host}/nothing:1"))
    assert caught.value.code == "base-not-found"


def test_image_is_pushed_with_its_base_by_digest(bench: Bench, registry: FakeRegistry) -> None:
    fingerprint = bench.build(ImageSettings(base=f"{registry.host}/python:3.11"))
    image = bench.open().find_image(fingerprint)
    assert image is not None
    pushed = bench.open().push_image(image, f"{registry.host}/models/wine:1")
    assert pushed == f"{registry.host}/models/wine@{image.digest}"


def test_image_without_a_base_is_not_pushed(bench: Bench) -> None:
    image = bench.open().find_image(bench.build())
    assert image is not None
    with pytest.raises(UsageError, match="without a base"):
        bench.open().push_image(image, "registry.example/wine:1")


def test_archive_for_an_engine_fetches_the_base_and_carries_the_proof(bench: Bench, registry: FakeRegistry) -> None:
    fingerprint = bench.build(ImageSettings(base=f"{registry.host}/python:3.11"))
    file = io.BytesIO()
    bench.library.write_archive(fingerprint, file, "wine:1")
    with tarfile.open(fileobj=io.BytesIO(file.getvalue())) as archive:
        assert "manifest.json" in archive.getnames()


def test_image_that_an_engine_built_runs_in_no_process(bench: Bench) -> None:
    elsewhere, archive = ImageStore(bench.folder / "base"), io.BytesIO()
    elsewhere.write_docker_archive(make_base(elsewhere), archive)
    archive.seek(0)
    store = bench.store
    with store.hold():
        store.add(store.import_docker_archive(archive), fingerprint="engine-built")
    with pytest.raises(BuildError) as caught:
        bench.library.unpack_image(Fingerprint("engine-built"))
    assert caught.value.code == "unpack-failed"
    assert "--runtime docker" in (caught.value.hint or "")


def test_unused_images_are_listed_and_removed(bench: Bench) -> None:
    kept, unused = bench.build(), bench.build(version=2)
    found = bench.open().list_unused_images(frozenset({kept}))
    assert [image.fingerprint for image in found] == [unused]
    assert bench.open().delete_image(unused) > 0
    assert bench.open().find_image(unused) is None
    assert bench.library.read_proof(kept) is not None


def test_compiled_code_of_layers_goes_with_them_and_other_code_stays(bench: Bench) -> None:
    kept, unused = bench.build(), bench.build(version=2)
    site_packages = bench.library.unpack_image(unused).site_packages[0]
    models = {mark: bench.library.unpack_image(mark).model for mark in (kept, unused)}
    compiled = bench.folder / "cache" / "pycache"
    for source in (site_packages, *models.values(), Path("/elsewhere/lib")):
        file = compiled / source.relative_to("/") / "code.cpython-311.pyc"
        file.parent.mkdir(parents=True)
        file.write_bytes(b"x" * 10_000_000)
    assert 10_000_000 < bench.open().delete_image(unused) < 20_000_000, "one file of the three"
    assert not (compiled / models[unused].relative_to("/")).exists()
    assert (compiled / models[kept].relative_to("/")).exists()
    assert (compiled / site_packages.relative_to("/")).exists(), "the other image has that layer, too"
    assert (compiled / "elsewhere").exists()


def test_image_that_is_not_there_is_said_so(bench: Bench) -> None:
    with pytest.raises(DockyardError) as caught:
        bench.library.find_digest(Fingerprint("nothing"))
    assert caught.value.code == "image-missing"
