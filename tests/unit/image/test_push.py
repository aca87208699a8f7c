"""A push survives what registries and networks do, sends nothing twice, and never leaves half an image."""

from __future__ import annotations

from pathlib import Path

import pytest

from dockyard_image import ImageStore, RegistryError, StoredImage, append_layer, fetch_base_layers, push, resolve_base
from dockyard_image.testing import FakeRegistry, Fault
from support.images import build_image, make_base, open_registries


def some_image(folder: Path) -> tuple[ImageStore, StoredImage]:
    store = ImageStore(folder / "store")
    return store, make_base(store)


def push_to(registry: FakeRegistry, folder: Path, name: str = "wine:1") -> tuple[str, str, int]:
    """Push a fresh image; what came back, what should have, and how much was told to be sent in the end."""
    store, image = some_image(folder)
    told = [0]
    with open_registries(folder) as registries:
        pushed = push(store, image, f"{registry.host}/{name}", registries, lambda _what, done, _total: told.append(done))
    return pushed, f"{registry.host}/{name.partition(':')[0]}@{image.digest}", told[-1]


FAULTS = [
    Fault(method="HEAD", path="/manifests/", status=503),
    Fault(method="HEAD", path="/blobs/", status=429, times=3),
    Fault(method="POST", path="/blobs/uploads/", status=500, times=2),
    Fault(method="PUT", path="/blobs/uploads/", status=502),
    Fault(method="PUT", path="/blobs/uploads/", after_bytes=40, times=3),
    Fault(method="PUT", path="/manifests/", status=429),
    Fault(method="PUT", path="/manifests/1", after_bytes=5),
    Fault(method="HEAD", path="/blobs/", times=2),
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault.method}-{fault.path}-{fault.status}")
def test_passing_failure_is_survived(tmp_path: Path, fault: Fault) -> None:
    with FakeRegistry() as registry:
        registry.fail(Fault(**{field: getattr(fault, field) for field in ("method", "path", "status", "after_bytes", "times")}))
        pushed, expected, sent = push_to(registry, tmp_path)
        assert registry.faults[0].times == 0
    assert pushed == expected
    _, image = some_image(tmp_path)
    assert sent >= sum(layer.size for layer in image.layers)


@pytest.mark.parametrize("status", [500, 429, 0])
def test_failure_that_stays_ends_the_push_before_the_manifest(tmp_path: Path, status: int) -> None:
    with FakeRegistry() as registry:
        registry.fail(Fault(method="PUT", path="/blobs/uploads/", status=status, times=99))
        with pytest.raises(RegistryError, match=registry.host) as caught:
            push_to(registry, tmp_path)
        assert registry.contents.manifests == {}
        assert registry.count("PUT", "/manifests/") == 0
    assert caught.value.code == "registry-unreachable"


def test_manifest_comes_after_every_blob(tmp_path: Path) -> None:
    with FakeRegistry() as registry:
        push_to(registry, tmp_path)
        puts = ["manifest" if "/manifests/" in path else "blob" for method, path in registry.requests if method == "PUT"]
    assert puts == ["blob"] * 3 + ["manifest"] * 2


def test_push_of_what_is_there_asks_twice_and_sends_nothing(tmp_path: Path) -> None:
    with FakeRegistry() as registry:
        push_to(registry, tmp_path)
        registry.requests.clear()
        push_to(registry, tmp_path)
        assert sorted(method for method, _ in registry.requests) == ["HEAD", "HEAD"]


def test_new_layer_is_all_that_is_sent(tmp_path: Path) -> None:
    store, image = some_image(tmp_path)
    with FakeRegistry() as registry, open_registries(tmp_path) as registries:
        push(store, image, f"{registry.host}/wine:1", registries)
        registry.requests.clear()
        push(store, append_layer(store, image, {"a": b"1"}), f"{registry.host}/wine:2", registries)
        assert registry.count("PUT", "/blobs/uploads/") == 2


def test_blobs_are_linked_from_a_repository_that_has_them(tmp_path: Path) -> None:
    store, image = some_image(tmp_path)
    image = store.add(image)
    with FakeRegistry() as registry, open_registries(tmp_path) as registries:
        push(store, image, f"{registry.host}/one:1", registries)
        registry.requests.clear()
        push(store, append_layer(store, image, {"a": b"1"}), f"{registry.host}/two:1", registries)
        assert registry.count("PUT", "/blobs/uploads/") == 2
        assert registry.count("POST", "mount=") == 2


def test_registry_that_links_nothing_gets_the_content(tmp_path: Path) -> None:
    store, image = some_image(tmp_path)
    image = store.add(image)
    with FakeRegistry(mounts=False) as registry, open_registries(tmp_path) as registries:
        push(store, image, f"{registry.host}/one:1", registries)
        push(store, image, f"{registry.host}/two:1", registries)
        assert registry.contents.blobs["one"] == registry.contents.blobs["two"]


def test_base_layers_are_linked_where_the_registry_has_the_base(tmp_path: Path) -> None:
    with FakeRegistry() as registry, open_registries(tmp_path) as registries:
        base_store = ImageStore(tmp_path / "base")
        push(base_store, make_base(base_store), f"{registry.host}/python:3.11", registries)
        store, image = build_image(tmp_path, base=resolve_base(f"{registry.host}/python:3.11", "linux/amd64", registries))
        registry.requests.clear()
        push(store, image, f"{registry.host}/wine:1", registries)
        assert registry.count("POST", "mount=") == 2
        assert registry.count("GET", "/blobs/") == 0
        assert set(registry.contents.blobs["wine"]) == {*(layer.digest for layer in image.layers), image.config_digest}


def test_registry_that_takes_no_long_requests_gets_pieces(tmp_path: Path) -> None:
    with FakeRegistry(streams=False) as registry:
        pushed, expected, _ = push_to(registry, tmp_path)
        assert registry.count("PATCH") == 3
    assert pushed == expected


def test_base_that_breaks_off_on_its_way_is_sent_again(tmp_path: Path) -> None:
    with FakeRegistry() as source, FakeRegistry() as target, open_registries(tmp_path) as registries:
        base_store = ImageStore(tmp_path / "base")
        push(base_store, make_base(base_store), f"{source.host}/python:3.11", registries)
        store, image = build_image(tmp_path, base=resolve_base(f"{source.host}/python:3.11", "linux/amd64", registries))
        source.fail(Fault(method="SEND", path="/blobs/", after_bytes=20, times=2))
        push(store, image, f"{target.host}/wine:1", registries)
        assert source.faults[0].times == 0
        assert target.contents.blobs["wine"][image.layers[0].digest] == source.contents.blobs["python"][image.layers[0].digest]


def test_base_that_is_gone_is_named_when_its_layers_are_needed(tmp_path: Path) -> None:
    with FakeRegistry() as source, FakeRegistry() as target, open_registries(tmp_path) as registries:
        base_store = ImageStore(tmp_path / "base")
        push(base_store, make_base(base_store), f"{source.host}/python:3.11", registries)
        store, image = build_image(tmp_path, base=resolve_base(f"{source.host}/python:3.11", "linux/amd64", registries))
        source.contents.blobs.clear()
        with pytest.raises(RegistryError, match="python") as caught:
            push(store, image, f"{target.host}/wine:1", registries)
        assert caught.value.code == "image-not-found"
        with pytest.raises(RegistryError):
            fetch_base_layers(store, image, registries)
        assert not store.blobs.has(image.layers[0].digest)


def test_download_that_breaks_off_goes_on_where_it_was(tmp_path: Path) -> None:
    with FakeRegistry() as registry, open_registries(tmp_path) as registries:
        base_store = ImageStore(tmp_path / "base")
        push(base_store, make_base(base_store), f"{registry.host}/python:3.11", registries)
        store, image = build_image(tmp_path, base=resolve_base(f"{registry.host}/python:3.11", "linux/amd64", registries))
        registry.fail(Fault(method="SEND", path=image.layers[0].digest, after_bytes=20))
        fetch_base_layers(store, image, registries)
        assert registry.faults[0].times == 0
    assert store.read_file(image, "bin/sh") == b"bin/sh" * 500
    assert store.collect_garbage(keep=()).blobs > 0
    assert list((store.path / "tmp").iterdir()) == []


def test_registry_that_sends_other_content_than_asked_is_not_believed(tmp_path: Path) -> None:
    with FakeRegistry() as registry, open_registries(tmp_path) as registries:
        base_store = ImageStore(tmp_path / "base")
        base_image = make_base(base_store)
        push(base_store, base_image, f"{registry.host}/python:3.11", registries)
        base = resolve_base(f"{registry.host}/python:3.11", "linux/amd64", registries)
        store, image = build_image(tmp_path, base=base)
        registry.contents.blobs["python"][image.layers[0].digest] = b"evil"
        with pytest.raises(RegistryError, match="digest"):
            fetch_base_layers(store, image, registries)
        assert not store.blobs.has(image.layers[0].digest)
        registry.contents.blobs["python"][base_image.config_digest] = b"{}"
        with pytest.raises(RegistryError, match="other content"):
            resolve_base(f"{registry.host}/python:3.11", "linux/amd64", registries)
        registry.contents.manifests["python"][base.digest] = (b"{}", "application/json")
        with pytest.raises(RegistryError, match="other content"):
            resolve_base(f"{registry.host}/python@{base.digest}", "linux/amd64", registries)


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (Fault(method="PUT", path="/manifests/", status=403), "registry-refused"),
        (Fault(method="PUT", path="/manifests/", status=405), "registry-refused"),
        (Fault(method="POST", path="/blobs/uploads/", status=403, times=9), "registry-refused"),
        (Fault(method="POST", path="/blobs/uploads/", status=404, times=9), "image-not-found"),
    ],
)
def test_refusal_is_told_at_once_with_its_status(tmp_path: Path, fault: Fault, code: str) -> None:
    with FakeRegistry() as registry:
        registry.fail(Fault(method=fault.method, path=fault.path, status=fault.status, times=fault.times))
        with pytest.raises(RegistryError, match=registry.host) as caught:
            push_to(registry, tmp_path)
    assert caught.value.code == code
    assert caught.value.hint


def test_uploads_that_go_to_another_host_take_no_credentials_along(tmp_path: Path) -> None:
    store, image = some_image(tmp_path)
    with FakeRegistry() as storage, FakeRegistry(auth="basic", login=("anna", "hunter2")) as registry:
        registry.upload_address = f"http://{storage.host}"
        (tmp_path / "config.json").write_text(
            f'{{"auths": {{"{registry.host}": {{"username": "anna", "password": "hunter2"}}}}}}'
        )
        with open_registries(tmp_path) as registries, pytest.raises(RegistryError):
            push(store, image, f"{registry.host}/wine:1", registries)
        assert storage.count("PUT") > 0
        assert set(storage.authorizations) == {""}
