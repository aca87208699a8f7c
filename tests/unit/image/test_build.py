"""The direct builder: equal recipes give equal digests, and layers go from what changes least to what changes most."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from dockyard_image import (
    DirectRecipe,
    FingerprintParts,
    ImageStore,
    RecipeError,
    ResolvedBase,
    StoredImage,
    append_layer,
    build_direct,
    digest_files,
    fingerprint,
    host_base,
)
from dockyard_image.manifest import Descriptor
from dockyard_image.media import DOCKER_LAYER, OCI_LAYER
from support.images import LABELS, build_image, lock_files, make_recipe, make_wheel, sha256

ROOT = Path(__file__).parents[3]
BASE_LAYER = Descriptor(media_type=OCI_LAYER + "+gzip", digest="sha256:" + "a" * 64, size=10)


def some_base(**changes: object) -> ResolvedBase:
    base = ResolvedBase(
        name="docker.io/library/python:3.11-slim",
        digest="sha256:" + "b" * 64,
        platform="linux/amd64",
        source="docker.io/library/python@sha256:" + "b" * 64,
        environment=("PATH=/usr/local/bin", "PYTHON_VERSION=3.11.9", "HOME=/root", "PYTHONPATH=/elsewhere"),
        layers=(BASE_LAYER,),
        diff_ids=("sha256:" + "c" * 64,),
    )
    return replace(base, **changes)  # type: ignore[arg-type]


def read_config(store: ImageStore, image: StoredImage) -> Mapping[str, object]:
    config = json.loads(store.blobs.read(image.config_digest))
    assert isinstance(config, dict)
    return config


def test_layers_stand_in_the_order_of_change(tmp_path: Path) -> None:
    store, image = build_image(tmp_path, base=some_base())
    assert [layer.kind for layer in image.layers] == ["base", "dependencies", "scorer", "model"]
    assert image.layers[0].digest == BASE_LAYER.digest
    assert not store.blobs.has(BASE_LAYER.digest)
    assert image.base == some_base().source


def test_every_file_is_where_the_scorer_looks_for_it(tmp_path: Path) -> None:
    store, image = build_image(tmp_path)
    for path, start in {
        "opt/dockyard/site-packages/alpha/__init__.py": b"name = 'alpha'",
        "opt/dockyard/site-packages/beta-2.1.dist-info/METADATA": b"Metadata-Version",
        "opt/dockyard/scorer/__main__.py": b"print('scorer')",
        "opt/ml/model/MLmodel": b"flavors",
        "opt/ml/model/code/deep/größe.py": b"x = 1",
    }.items():
        assert (store.read_file(image, path) or b"").startswith(start), path
    assert json.loads(store.read_file(image, "/opt/dockyard/image.json") or b"") == LABELS
    assert store.read_file(image, "opt/dockyard/proof.json") is None


def test_config_starts_the_scorer_as_nobody_in_particular(tmp_path: Path) -> None:
    store, image = build_image(tmp_path, base=some_base())
    config = read_config(store, image)
    settings = config["config"]
    assert isinstance(settings, dict)
    assert settings["Entrypoint"] == ["python3", "-s", "/opt/dockyard/scorer"]
    assert settings["Cmd"] == ["serve"]
    assert settings["User"] == "65532:65532"
    assert settings["WorkingDir"] == "/opt/dockyard"
    assert settings["ExposedPorts"] == {"8080/tcp": {}}
    assert settings["StopSignal"] == "SIGTERM"
    assert settings["Labels"] == LABELS == image.labels
    assert settings["Env"] == [
        "PATH=/usr/local/bin",
        "PYTHON_VERSION=3.11.9",
        "PYTHONPATH=/opt/dockyard/site-packages",
        "PYTHONDONTWRITEBYTECODE=1",
        "PYTHONUNBUFFERED=1",
        "HOME=/tmp",
    ]


def test_times_in_the_image_are_the_models_not_the_clocks(tmp_path: Path) -> None:
    store, image = build_image(tmp_path)
    config = read_config(store, image)
    assert config["created"] == "2026-03-04T05:06:07Z"
    history = config["history"]
    assert isinstance(history, list)
    assert {entry["created"] for entry in history} == {"2026-03-04T05:06:07Z"}


@pytest.mark.parametrize("media", ["oci", "docker"])
def test_manifest_speaks_one_dialect_throughout(tmp_path: Path, media: str) -> None:
    store, image = build_image(tmp_path, media=media, base=some_base())
    text = store.blobs.read(image.digest).decode()
    other = "vnd.oci" if media == "docker" else "vnd.docker"
    assert other not in text
    assert image.media == media
    assert image.size == len(text) + len(store.blobs.read(image.config_digest)) + sum(layer.size for layer in image.layers)


def test_second_model_with_the_same_lock_reuses_the_dependencies(tmp_path: Path) -> None:
    recipe = make_recipe(tmp_path)
    store = ImageStore(tmp_path / "store")
    first = build_direct(recipe, store, tmp_path / "cache")
    for wheel in (tmp_path / "cache" / "wheels").rglob("*.whl"):
        wheel.unlink()
    for wheel in (tmp_path / "links").iterdir():
        wheel.unlink()
    (recipe.model_dir / "MLmodel").write_text("another")
    second = build_direct(recipe, store, tmp_path / "cache")
    assert [one.digest == other.digest for one, other in zip(first.layers, second.layers, strict=True)] == [True, True, False]


def test_dependencies_are_made_again_when_the_store_lost_them(tmp_path: Path) -> None:
    recipe = make_recipe(tmp_path)
    store = ImageStore(tmp_path / "store")
    first = build_direct(recipe, store, tmp_path / "cache")
    assert store.collect_garbage().images == 0
    assert store.blobs.list_digests() == []
    assert build_direct(recipe, store, tmp_path / "cache") == first


def test_damaged_record_of_a_layer_is_made_again(tmp_path: Path) -> None:
    recipe = make_recipe(tmp_path)
    store = ImageStore(tmp_path / "store")
    first = build_direct(recipe, store, tmp_path / "cache")
    (record,) = (tmp_path / "cache" / "layers").glob("*.json")
    record.write_text('[{"digest": 1}]')
    assert build_direct(recipe, store, tmp_path / "cache") == first


BUILD_ELSEWHERE = """
import os, sys, time
os.umask(int(sys.argv[2], 8))
from pathlib import Path
from support.images import build_image
_, image = build_image(Path(sys.argv[1]))
print(image.digest, image.config_digest, *[layer.digest for layer in image.layers])
"""


def build_elsewhere(folder: Path, umask: str, **environ: str) -> str:
    script = folder.with_suffix(".py")
    script.write_text(BUILD_ELSEWHERE)
    search = os.pathsep.join([str(ROOT / "src"), str(ROOT / "tests")])
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": search, **environ}
    command = [sys.executable, str(script), str(folder), umask]
    return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout


def test_builds_in_different_surroundings_give_equal_digests(tmp_path: Path) -> None:
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
    one = build_elsewhere(tmp_path / "one", "022", HOME=str(tmp_path / "one"), TZ="UTC", PYTHONHASHSEED="1", LANG="C.UTF-8")
    other = build_elsewhere(
        tmp_path / "other", "077", HOME="/nonexistent", TZ="Asia/Tokyo", PYTHONHASHSEED="2", LANG="C", SOURCE_DATE_EPOCH="99"
    )
    assert one == other
    assert len(one.split()) == 5


def test_file_times_and_modes_do_not_count(tmp_path: Path) -> None:
    recipe = make_recipe(tmp_path)
    first = build_direct(recipe, ImageStore(tmp_path / "one"), tmp_path / "cache")
    for path in recipe.model_dir.rglob("*"):
        path.chmod(0o777)
        os.utime(path, (1, 1))
    assert build_direct(recipe, ImageStore(tmp_path / "two"), tmp_path / "cache") == first


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"base": some_base(environment=("PYTHON_VERSION=3.12.1",))}, "base-python-differs"),
        ({"base": some_base(platform="linux/arm64")}, "base-platform-differs"),
        ({"platform": "linux/s390x"}, "platform-unsupported"),
        (
            {"base": some_base(layers=(replace(BASE_LAYER, media_type=OCI_LAYER + "+zstd"),)), "media": "docker"},
            "base-media-unsupported",
        ),
        ({"base": some_base(layers=(replace(BASE_LAYER, media_type="application/x"),))}, "base-media-unsupported"),
        ({"scorer_files": {"../evil": b""}}, "layer-invalid"),
        ({"model_dir": Path("/nonexistent/model")}, "model-unreadable"),
    ],
)
def test_recipe_whose_parts_do_not_fit_is_refused(tmp_path: Path, changes: Mapping[str, object], code: str) -> None:
    with pytest.raises(RecipeError) as caught:
        build_image(tmp_path, **changes)
    assert caught.value.code == code
    assert caught.value.hint or code == "layer-invalid"


def test_zstd_base_layers_are_fine_where_the_dialect_names_them(tmp_path: Path) -> None:
    zstd = replace(BASE_LAYER, media_type=OCI_LAYER + "+zstd")
    _, image = build_image(tmp_path, base=some_base(layers=(zstd,)))
    assert image.layers[0].media_type == OCI_LAYER + "+zstd"


def test_docker_base_layer_is_named_in_the_images_dialect(tmp_path: Path) -> None:
    docker = replace(BASE_LAYER, media_type=DOCKER_LAYER + ".gzip")
    _, image = build_image(tmp_path, base=some_base(layers=(docker,)))
    assert image.layers[0].media_type == OCI_LAYER + "+gzip"


@pytest.mark.parametrize("target", ["/etc/passwd", "../cache", "nowhere"])
def test_link_out_of_the_model_is_refused(tmp_path: Path, target: str) -> None:
    recipe = make_recipe(tmp_path)
    (recipe.model_dir / "link").symlink_to(target)
    with pytest.raises(RecipeError, match="link") as caught:
        build_direct(recipe, ImageStore(tmp_path / "store"), tmp_path / "cache")
    assert caught.value.code == "model-unreadable"


def test_link_inside_the_model_becomes_a_file(tmp_path: Path) -> None:
    recipe = make_recipe(tmp_path)
    (recipe.model_dir / "link").symlink_to("MLmodel")
    store = ImageStore(tmp_path / "store")
    image = build_direct(recipe, store, tmp_path / "cache")
    assert store.read_file(image, "opt/ml/model/link") == store.read_file(image, "opt/ml/model/MLmodel")


def test_appended_layer_stands_on_top_and_keeps_the_rest(tmp_path: Path) -> None:
    store, image = build_image(tmp_path, base=some_base(), media="docker")
    proved = append_layer(store, image, {"opt/dockyard/proof.json": b'{"schema":1}'}, kind="proof")
    assert proved.layers[:-1] == image.layers
    assert (proved.layers[-1].kind, proved.media, proved.base, proved.labels) == ("proof", "docker", image.base, image.labels)
    assert store.read_file(proved, "opt/dockyard/proof.json") == b'{"schema":1}'
    assert append_layer(store, image, {"opt/dockyard/proof.json": b'{"schema":1}'}, kind="proof") == proved


def test_host_base_has_no_layers_and_says_so(tmp_path: Path) -> None:
    _, image = build_image(tmp_path, base=host_base("3.11"))
    assert [layer.kind for layer in image.layers] == ["dependencies", "scorer", "model"]
    assert (image.base, image.has_base) == ("host-python-3.11", False)


def test_progress_is_told_and_ends_at_the_total(tmp_path: Path) -> None:
    told: dict[str, tuple[int, int | None]] = {}
    recipe = make_recipe(tmp_path)
    build_direct(
        recipe,
        ImageStore(tmp_path / "store"),
        tmp_path / "cache",
        progress=lambda what, done, total: told.update({what: (done, total)}),
    )
    assert set(told) == {"fetching packages", "packing dependencies", "packing the model"}
    assert all(done >= (total or 0) for done, total in told.values())


def test_packages_that_share_files_make_one_layer(tmp_path: Path) -> None:
    links = tmp_path / "more"
    names = ("mlflow", "mlflow-skinny")
    wheels = [make_wheel(links, name, "3.0", {"mlflow/__init__.py": "same", "mlflow/only.py": name}) for name in names]
    lock = lock_files(*wheels)
    store, image = build_image(tmp_path, lock=lock)
    assert store.read_file(image, "opt/dockyard/site-packages/mlflow/only.py") == b"mlflow"


PARTS = FingerprintParts(
    base_digest="b", platform="linux/amd64", python="3.11", lock_digest="l", scorer_digest="s", model_digest="m", media="oci"
)


@pytest.mark.parametrize(
    "changes",
    [{"base_digest": "x"}, {"platform": "linux/arm64"}, {"python": "3.12"}, {"lock_digest": "x"}, {"scorer_digest": "x"},
     {"model_digest": "x"}, {"media": "docker"}, {"lock_digest": "s", "scorer_digest": "l"}],
)  # fmt: skip
def test_fingerprint_changes_with_everything_that_decides_the_bytes(changes: Mapping[str, str]) -> None:
    assert fingerprint(replace(PARTS, **changes)) != fingerprint(PARTS)  # type: ignore[arg-type]
    assert len(fingerprint(PARTS)) == 64


def test_digest_of_files_depends_on_names_and_contents_only() -> None:
    one = digest_files({"a": b"1", "b": b"2"})
    assert one == digest_files({"b": b"2", "a": b"1"})
    assert one != digest_files({"a": b"2", "b": b"1"})
    assert one != digest_files({"a": b"1"})
    assert one.startswith("sha256:")


def test_recipe_is_a_value(tmp_path: Path) -> None:
    recipe = make_recipe(tmp_path)
    assert replace(recipe) == recipe
    assert isinstance(recipe, DirectRecipe)
    assert sha256(recipe.lock.text.encode()) == recipe.lock.digest
