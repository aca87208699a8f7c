"""What pushing and resolving promise, on the registry in memory and on real ones, with and without credentials."""

from __future__ import annotations

import http.client
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from dockyard_image import (
    Credentials,
    ImageStore,
    Registries,
    RegistryError,
    RegistrySettings,
    Secret,
    StoredImage,
    StoreError,
    append_layer,
    build_direct,
    fetch_base_layers,
    parse_reference,
    push,
    resolve_base,
)
from dockyard_image.testing import FakeRegistry
from support.images import build_image, make_base, make_recipe, open_registries
from support.lab import RegistryLogin


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A registry under test and who may use it."""

    host: str
    user: str = ""
    password: str = ""

    def settings(self, password: str | None = None) -> RegistrySettings:
        if not self.user:
            return RegistrySettings()
        credentials = Credentials(user=self.user, secret=Secret(self.password if password is None else password))
        return RegistrySettings(credentials={self.host: credentials})


LOGIN = ("anna", "hunter2")


@pytest.fixture(
    params=[
        "memory",
        "memory-basic",
        "memory-token",
        pytest.param("real", marks=pytest.mark.lab),
        pytest.param("real-basic", marks=pytest.mark.lab),
    ]
)
def site(request: pytest.FixtureRequest) -> Iterator[Site]:
    match request.param:
        case "real":
            yield Site(host=request.getfixturevalue("lab_registry"))
        case "real-basic":
            login = request.getfixturevalue("lab_registry_auth")
            assert isinstance(login, RegistryLogin)
            yield Site(host=login.address, user=login.user, password=login.password)
        case "memory":
            with FakeRegistry() as registry:
                yield Site(host=registry.host)
        case kind:
            with FakeRegistry(auth="basic" if kind == "memory-basic" else "token", login=LOGIN) as registry:
                yield Site(host=registry.host, user=LOGIN[0], password=LOGIN[1])


@pytest.fixture
def registries(site: Site, tmp_path: Path) -> Iterator[Registries]:
    with open_registries(tmp_path, site.settings()) as opened:
        yield opened


@pytest.fixture
def name() -> str:
    """A repository nobody else uses."""
    return f"dockyard-test/{secrets.token_hex(6)}"


def some_image(folder: Path, media: str = "oci") -> tuple[ImageStore, StoredImage]:
    store = ImageStore(folder / "store")
    return store, append_layer(store, make_base(store, media=media), {"who": secrets.token_bytes(8)})  # type: ignore[arg-type]


@pytest.mark.parametrize("media", ["oci", "docker"])
def test_pushed_image_is_there_by_tag_and_digest(
    site: Site, registries: Registries, name: str, tmp_path: Path, media: str
) -> None:
    store, image = some_image(tmp_path, media)
    assert push(store, image, f"{site.host}/{name}:v1", registries) == f"{site.host}/{name}@{image.digest}"
    for reference in (f"{site.host}/{name}:v1", f"{site.host}/{name}@{image.digest}"):
        content, _, digest = registries.read_manifest(parse_reference(reference))
        assert (content, digest) == (store.blobs.read(image.digest), image.digest)


def test_push_without_a_tag_goes_by_digest(site: Site, registries: Registries, name: str, tmp_path: Path) -> None:
    store, image = some_image(tmp_path)
    pushed = push(store, image, f"{site.host}/{name}", registries)
    assert registries.read_manifest(parse_reference(pushed))[2] == image.digest


def test_second_push_and_another_tag_change_nothing_but_the_tag(
    site: Site, registries: Registries, name: str, tmp_path: Path
) -> None:
    store, image = some_image(tmp_path)
    first = push(store, image, f"{site.host}/{name}:v1", registries)
    assert push(store, image, f"{site.host}/{name}:v1", registries) == first
    assert push(store, image, f"{site.host}/{name}:v2", registries) == first
    assert registries.read_manifest(parse_reference(f"{site.host}/{name}:v2"))[2] == image.digest


def test_tag_moves_to_the_newer_image(site: Site, registries: Registries, name: str, tmp_path: Path) -> None:
    store, image = some_image(tmp_path)
    push(store, image, f"{site.host}/{name}:v1", registries)
    newer = append_layer(store, image, {"newer": b"1"})
    push(store, newer, f"{site.host}/{name}:v1", registries)
    assert registries.read_manifest(parse_reference(f"{site.host}/{name}:v1"))[2] == newer.digest
    assert registries.read_manifest(parse_reference(f"{site.host}/{name}@{image.digest}"))[2] == image.digest


def test_base_is_resolved_built_on_and_fetched_back(site: Site, registries: Registries, name: str, tmp_path: Path) -> None:
    base_store = ImageStore(tmp_path / "base")
    base_image = make_base(base_store)
    push(base_store, base_image, f"{site.host}/{name}/python:3.11", registries)
    base = resolve_base(f"{site.host}/{name}/python:3.11", "linux/amd64", registries)
    assert (base.digest, base.python) == (base_image.digest, "3.11")

    recipe = make_recipe(tmp_path, base=base)
    store = ImageStore(tmp_path / "store")
    image = build_direct(recipe, store, tmp_path / "cache")
    push(store, image, f"{site.host}/{name}/wine:1", registries)
    assert not store.blobs.has(base.layers[0].digest)

    fetch_base_layers(store, image, registries)
    assert store.read_file(image, "usr/bin/python3") == b"usr/bin/python3" * 500
    fetch_base_layers(store, image, registries)


def test_base_is_carried_from_one_registry_to_another(site: Site, registries: Registries, name: str, tmp_path: Path) -> None:
    with FakeRegistry() as elsewhere:
        base_store = ImageStore(tmp_path / "base")
        push(base_store, make_base(base_store), f"{elsewhere.host}/python:3.11", registries)
        base = resolve_base(f"{elsewhere.host}/python:3.11", "linux/amd64", registries)
        store, image = build_image(tmp_path, base=base)
        pushed = push(store, image, f"{site.host}/{name}:1", registries)
    again = ImageStore(tmp_path / "again")
    for layer in image.layers:
        blob = replace(base.layers[0], digest=layer.digest, size=layer.size)
        registries.fetch_blob(parse_reference(pushed), blob, again.blobs, lambda _: None)
        assert again.blobs.path(layer.digest).stat().st_size == layer.size
    assert not store.blobs.has(base.layers[0].digest)


def test_layers_are_linked_from_another_repository_of_the_registry(
    site: Site, registries: Registries, name: str, tmp_path: Path
) -> None:
    store, image = some_image(tmp_path)
    image = store.add(image)
    push(store, image, f"{site.host}/{name}/one:1", registries)
    assert store.list()[0].pushed == (f"{site.host}/{name}/one",)
    other = store.add(append_layer(store, image, {"other": b"1"}))
    pushed = push(store, other, f"{site.host}/{name}/two:1", registries)
    assert registries.read_manifest(parse_reference(pushed))[2] == other.digest


@pytest.mark.parametrize("what", ["tag", "digest", "repository"])
def test_what_is_not_there_is_not_found(site: Site, registries: Registries, name: str, tmp_path: Path, what: str) -> None:
    store, image = some_image(tmp_path)
    push(store, image, f"{site.host}/{name}:v1", registries)
    reference = {"tag": f"{name}:v9", "digest": f"{name}@sha256:{'0' * 64}", "repository": f"{name}-absent:v1"}[what]
    with pytest.raises(RegistryError) as caught:
        resolve_base(f"{site.host}/{reference}", "linux/amd64", registries)
    assert caught.value.code in {"image-not-found", "repository-not-found"}
    assert reference.partition("@")[0].partition(":")[0] in caught.value.message


@pytest.mark.parametrize("password", ["wrong-password", ""])
def test_wrong_password_is_refused_and_not_repeated(site: Site, name: str, tmp_path: Path, password: str) -> None:
    if not site.user:
        check_open_registry_takes_anybody(site, name, tmp_path)
        return
    store, image = some_image(tmp_path)
    with open_registries(tmp_path, site.settings(password)) as wrong, pytest.raises(RegistryError) as caught:
        push(store, image, f"{site.host}/{name}:v1", wrong)
    assert caught.value.code == "registry-credentials-refused"
    shown = f"{caught.value} {caught.value!r} {caught.value.hint} {caught.value.__cause__!r}"
    assert "wrong-password" not in shown
    assert site.password not in shown


def check_open_registry_takes_anybody(site: Site, name: str, tmp_path: Path) -> None:
    store, image = some_image(tmp_path)
    settings = Site(host=site.host, user="anybody", password="whatever").settings()
    with open_registries(tmp_path, settings) as anybody:
        assert push(store, image, f"{site.host}/{name}:v1", anybody).endswith(image.digest)


def test_nobody_is_told_to_log_in_where_that_is_needed(site: Site, name: str, tmp_path: Path) -> None:
    store, image = some_image(tmp_path)
    with open_registries(tmp_path) as nobody:
        if not site.user:
            assert push(store, image, f"{site.host}/{name}:v1", nobody).endswith(image.digest)
            return
        with pytest.raises(RegistryError, match="none are set") as caught:
            push(store, image, f"{site.host}/{name}:v1", nobody)
    assert caught.value.code == "registry-credentials-refused"
    assert f"docker login {site.host}" in caught.value.hint


def test_image_that_borrows_the_hosts_python_is_not_pushed(
    site: Site, registries: Registries, name: str, tmp_path: Path
) -> None:
    store, image = build_image(tmp_path)
    with pytest.raises(StoreError) as caught:
        push(store, image, f"{site.host}/{name}:v1", registries)
    assert caught.value.code == "image-has-no-base"


def test_manifest_that_names_absent_blobs_is_not_taken(site: Site, registries: Registries, name: str) -> None:
    repository = registries.repository(parse_reference(f"{site.host}/{name}"))
    pointer = f'"digest":"sha256:{"a" * 64}","size":2'
    kind = "application/vnd.docker.distribution.manifest.v2+json"
    config = f'{{"mediaType":"application/vnd.docker.container.image.v1+json",{pointer}}}'
    content = f'{{"schemaVersion":2,"mediaType":"{kind}","config":{config},"layers":[]}}'
    with pytest.raises(RegistryError) as caught:
        repository.put_manifest("v1", content.encode(), kind)
    assert caught.value.code == "manifest-invalid"


def test_registry_answers_pings(site: Site) -> None:
    connection = http.client.HTTPConnection(site.host, timeout=5)
    connection.request("GET", "/v2/")
    assert connection.getresponse().status == (401 if site.user else 200)
    connection.close()
