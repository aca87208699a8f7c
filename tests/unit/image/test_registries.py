"""Mirrors, tokens, TLS and proxies: how a registry is reached, and as whom."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import urllib3

from dockyard_image import (
    CredentialProvider,
    Credentials,
    ImageStore,
    Registries,
    RegistryError,
    RegistrySettings,
    Secret,
    parse_reference,
    push,
    resolve_base,
)
from dockyard_image.authorize import Authorizer
from dockyard_image.hosts import is_loopback
from dockyard_image.registry_errors import explain_refusal
from dockyard_image.testing import Auth, FakeRegistry, Fault
from dockyard_image.transport import Transport
from support.certificates import make_pair
from support.images import IMPATIENT, encode, make_base, open_registries

LOGIN = ("anna", "hunter2")
GOOD = Credentials(user="anna", secret=Secret("hunter2"))
STALE = Credentials(user="anna", secret=Secret("expired"))
DIGEST = "sha256:" + "a" * 64


@pytest.fixture
def library(tmp_path: Path) -> Iterator[FakeRegistry]:
    """A registry that has a base as docker.io does."""
    with FakeRegistry() as registry, open_registries(tmp_path) as registries:
        store = ImageStore(tmp_path / "library")
        push(store, make_base(store), f"{registry.host}/library/python:3.11", registries)
        registry.requests.clear()
        yield registry


def resolve(folder: Path, settings: RegistrySettings, reference: str = "python:3.11") -> str:
    with open_registries(folder, settings) as registries:
        return resolve_base(reference, "linux/amd64", registries).source


# Mirrors


@pytest.mark.parametrize("address", ["http://{}", "http://{}/", "{}"])
def test_mirror_serves_what_bears_the_registrys_name(tmp_path: Path, library: FakeRegistry, address: str) -> None:
    source = resolve(tmp_path, RegistrySettings(mirrors={"docker.io": [address.format(library.host)]}))
    assert source.startswith("docker.io/library/python:3.11@sha256:")
    assert library.count("GET") == 2


def test_mirrors_are_tried_in_order_until_one_has_it(tmp_path: Path, library: FakeRegistry) -> None:
    with FakeRegistry() as empty, FakeRegistry(auth="basic", login=LOGIN) as closed, FakeRegistry() as unasked:
        hosts = ["127.0.0.1:1", empty.host, closed.host, library.host, unasked.host]
        resolve(tmp_path, RegistrySettings(mirrors={"docker.io": [f"http://{host}" for host in hosts]}))
        assert (empty.count("GET", "/manifests/"), closed.count("GET", "/manifests/"), unasked.count("GET")) == (1, 1, 0)


def test_mirror_below_a_path_gets_it_before_the_repository(tmp_path: Path, library: FakeRegistry) -> None:
    contents = library.contents
    contents.blobs = {"hub/proxy/library/python": contents.blobs["library/python"]}
    contents.manifests = {"hub/proxy/library/python": contents.manifests["library/python"]}
    resolve(tmp_path, RegistrySettings(mirrors={"docker.io": [f"http://{library.host}/hub/proxy"]}))


def test_mirror_of_one_registry_is_not_asked_for_another(tmp_path: Path, library: FakeRegistry) -> None:
    with FakeRegistry() as other:
        settings = RegistrySettings(mirrors={"docker.io": [f"http://{library.host}"]})
        with pytest.raises(RegistryError):
            resolve(tmp_path, settings, f"{other.host}/library/python:3.11")
    assert library.requests == []


def test_registry_itself_comes_last_and_its_error_names_the_mirrors(tmp_path: Path) -> None:
    with FakeRegistry() as mirror, FakeRegistry() as own:
        settings = RegistrySettings(mirrors={own.host: [f"http://{mirror.host}"]})
        with pytest.raises(RegistryError, match="its mirrors failed before") as caught:
            resolve(tmp_path, settings, f"{own.host}/python:3.11")
        assert caught.value.code == "image-not-found"
        assert f"{mirror.host} (image-not-found)" in caught.value.message
        assert [method for method, _ in mirror.requests + own.requests] == ["GET", "GET"]


def test_pushes_never_go_to_a_mirror(tmp_path: Path) -> None:
    store = ImageStore(tmp_path / "store")
    with FakeRegistry() as mirror, FakeRegistry() as own:
        settings = RegistrySettings(mirrors={own.host: [f"http://{mirror.host}"]})
        with open_registries(tmp_path, settings) as registries:
            push(store, make_base(store), f"{own.host}/wine:1", registries)
        assert mirror.requests == []


# Credentials


def provider_of(answers: list[Credentials | None], asked: list[str]) -> CredentialProvider:
    def provide(host: str) -> Credentials | None:
        asked.append(host)
        return answers.pop(0)

    return provide


@pytest.mark.parametrize("auth", ["basic", "token"])
def test_provider_helps_where_a_login_has_expired(tmp_path: Path, auth: Auth) -> None:
    store, asked = ImageStore(tmp_path / "store"), list[str]()
    with FakeRegistry(auth=auth, login=LOGIN) as registry:
        (tmp_path / "config.json").write_bytes(encode({"auths": {registry.host: {"username": "anna", "password": "expired"}}}))
        providers = (provider_of([None], asked), provider_of([GOOD], asked))
        with open_registries(tmp_path, RegistrySettings(providers=providers)) as registries:
            push(store, make_base(store), f"{registry.host}/wine:1", registries)
        assert asked == [registry.host, registry.host]


def test_nobody_is_asked_for_credentials_of_an_open_registry(tmp_path: Path) -> None:
    store, asked = ImageStore(tmp_path / "store"), list[str]()
    with FakeRegistry() as registry:
        with open_registries(tmp_path, RegistrySettings(providers=(provider_of([], asked),))) as registries:
            push(store, make_base(store), f"{registry.host}/wine:1", registries)
        assert set(registry.authorizations) == {""}
    assert asked == []


def test_named_user_is_the_only_one_tried(tmp_path: Path) -> None:
    store, asked = ImageStore(tmp_path / "store"), list[str]()
    with FakeRegistry(auth="basic", login=LOGIN) as registry:
        settings = RegistrySettings(credentials={registry.host: STALE}, providers=(provider_of([GOOD], asked),))
        with open_registries(tmp_path, settings) as registries, pytest.raises(RegistryError, match="refused the credentials"):
            push(store, make_base(store), f"{registry.host}/wine:1", registries)
    assert asked == []


def test_tokens_are_fetched_once_per_scope(tmp_path: Path) -> None:
    store = ImageStore(tmp_path / "store")
    with FakeRegistry(auth="token", login=LOGIN) as registry:
        with open_registries(tmp_path, RegistrySettings(credentials={registry.host: GOOD})) as registries:
            push(store, make_base(store), f"{registry.host}/wine:1", registries)
        assert registry.count("GET", "/token") == 1


def test_expired_and_revoked_tokens_are_replaced(tmp_path: Path) -> None:
    store = ImageStore(tmp_path / "store")
    image = make_base(store)
    with FakeRegistry(auth="token", login=LOGIN) as registry:
        with open_registries(tmp_path, RegistrySettings(credentials={registry.host: GOOD})) as registries:
            registry.token_seconds = 0
            push(store, image, f"{registry.host}/wine:1", registries)
            registry.token_seconds = 300
            push(store, image, f"{registry.host}/wine:2", registries)
            registry.tokens.clear()
            push(store, image, f"{registry.host}/wine:3", registries)
        assert set(registry.contents.manifests["wine"]) == {"1", "2", "3", image.digest}


def test_being_refused_one_repository_does_not_spoil_the_others(tmp_path: Path) -> None:
    store = ImageStore(tmp_path / "store")
    image = store.add(make_base(store))
    with FakeRegistry(auth="token", login=LOGIN) as registry:
        settings = RegistrySettings(credentials={registry.host: GOOD})
        with open_registries(tmp_path, settings) as registries:
            push(store, image, f"{registry.host}/secret:1", registries)
            registry.denied.add("secret")
            registry.tokens.clear()
            push(store, image, f"{registry.host}/wine:1", registries)
            push(store, image, f"{registry.host}/beer:1", registries)
            with pytest.raises(RegistryError, match="refused the credentials"):
                push(store, image, f"{registry.host}/secret:2", registries)
        assert set(registry.contents.manifests) == {"secret", "wine", "beer"}


def test_blob_that_may_not_be_read_is_told_from_one_that_is_not_there(tmp_path: Path, library: FakeRegistry) -> None:
    library.fail(Fault(method="GET", path="/blobs/", status=403))
    with pytest.raises(RegistryError) as caught:
        resolve(tmp_path, RegistrySettings(), f"{library.host}/library/python:3.11")
    assert caught.value.code == "registry-refused"


def test_overlong_partial_download_starts_over(tmp_path: Path, library: FakeRegistry) -> None:
    store = ImageStore(tmp_path / "store")
    with open_registries(tmp_path) as registries:
        base = resolve_base(f"{library.host}/library/python:3.11", "linux/amd64", registries)
        blob = base.layers[0]
        store.blobs.temporary.mkdir(parents=True)
        (store.blobs.temporary / f"{blob.digest.removeprefix('sha256:')}.part").write_bytes(b"x" * 10_000)
        registries.fetch_blob(parse_reference(base.source), blob, store.blobs, lambda _: None)
    assert store.blobs.has(blob.digest)


@pytest.mark.parametrize("answer", [b"", b"[]", b"{}", b'{"token": "x", "expires_in": "soon"}'])
def test_token_service_that_sends_no_token_is_said_so(answer: bytes) -> None:
    with pytest.raises(RegistryError, match="it sent no token"):
        authorizer()._read_token(answer)


def test_identity_token_is_exchanged_at_the_token_service(tmp_path: Path) -> None:
    store = ImageStore(tmp_path / "store")
    identity = Credentials(user="<token>", secret=Secret("hunter2"), is_identity_token=True)
    with FakeRegistry(auth="token", login=LOGIN) as registry:
        with open_registries(tmp_path, RegistrySettings(credentials={registry.host: identity})) as registries:
            push(store, make_base(store), f"{registry.host}/wine:1", registries)
        assert registry.count("POST", "/token") == 1


def test_identity_token_is_of_no_use_where_a_password_is_wanted(tmp_path: Path) -> None:
    store = ImageStore(tmp_path / "store")
    identity = Credentials(user="<token>", secret=Secret("hunter2"), is_identity_token=True)
    with FakeRegistry(auth="basic", login=LOGIN) as registry:
        settings = RegistrySettings(credentials={registry.host: identity})
        with open_registries(tmp_path, settings) as registries, pytest.raises(RegistryError):
            push(store, make_base(store), f"{registry.host}/wine:1", registries)
        assert set(registry.authorizations) == {""}


def authorizer(*credentials: Credentials, host: str = "r.example") -> Authorizer:
    return Authorizer(host, secure=True, credentials=credentials, transport=Transport(), policy=IMPATIENT)


def test_token_service_without_tls_gets_no_credentials() -> None:
    challenge = 'Bearer realm="http://127.0.0.1:1/token",service="r.example"'
    with pytest.raises(RegistryError, match="without TLS") as caught:
        authorizer(GOOD).renew(challenge, ("repository:a:pull",), "", fresh=False)
    assert caught.value.code == "registry-refused"


def test_token_service_that_is_down_is_said_so() -> None:
    challenge = 'Bearer realm="http://127.0.0.1:1/token"'
    with pytest.raises(RegistryError, match=r"token service of r\.example") as caught:
        authorizer().renew(challenge, (), "", fresh=False)
    assert caught.value.code == "registry-unreachable"


@pytest.mark.parametrize("challenge", ["", "Negotiate", 'Bearer service="x"', 'Basic realm="x"'])
def test_challenge_that_nobody_can_answer_is_refused(challenge: str) -> None:
    with pytest.raises(RegistryError) as caught:
        authorizer().renew(challenge, (), "", fresh=False)
    assert caught.value.code == "registry-credentials-refused"


# TLS and proxies


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a key and a certificate for 127.0.0.1 that nobody has signed but itself."""
    return make_pair(tmp_path_factory.mktemp("tls"), "127.0.0.1")


@pytest.fixture
def tls_registry(certificate: Path) -> Iterator[FakeRegistry]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate / "tls.crt", certificate / "tls.key")
    with FakeRegistry(tls=context) as registry:
        yield registry


def ask_tls(folder: Path, registry: FakeRegistry) -> RegistryError:
    settings = RegistrySettings(mirrors={"absent.localhost:1": [f"https://{registry.host}"]})
    with pytest.raises(RegistryError) as caught:
        resolve(folder, settings, "absent.localhost:1/python:3.11")
    return caught.value


def test_certificate_that_is_trusted_by_setting_is_accepted(
    tmp_path: Path, tls_registry: FakeRegistry, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate / "tls.crt"))
    assert f"{tls_registry.host} (image-not-found)" in ask_tls(tmp_path, tls_registry).message
    assert tls_registry.count("GET", "/manifests/") == 1


def test_certificate_of_unknown_origin_is_refused_without_trying_again(tmp_path: Path, tls_registry: FakeRegistry) -> None:
    assert f"{tls_registry.host} (registry-unreachable)" in ask_tls(tmp_path, tls_registry).message
    assert tls_registry.requests == []


def test_proxy_stands_before_other_hosts_and_never_before_this_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    with FakeRegistry() as proxy, FakeRegistry() as registry:
        transport = Transport(proxies=lambda: {"http": f"http://user:pw@{proxy.host}"})
        for host in ("r.example", registry.host):
            transport.send("GET", f"http://{host}/v2/", {}).drain_conn()
        transport.close()
        assert [path for _, path in proxy.requests] == ["http://r.example/v2/"]
        assert [path for _, path in registry.requests] == ["/v2/"]


def test_host_that_is_excepted_is_reached_without_the_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "r.example")
    transport = Transport(proxies=lambda: {"https": "proxy.example:3128"})
    assert not isinstance(transport._manager("https://r.example/v2/"), urllib3.ProxyManager)
    assert isinstance(transport._manager("https://s.example/v2/"), urllib3.ProxyManager)


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("localhost", True), ("localhost:5000", True), ("a.localhost", True), ("127.0.0.1:5000", True), ("127.8.9.1", True),
        ("[::1]:5000", True), ("registry.example.com", False), ("10.0.0.1:5000", False), ("localhost.example.com", False),
    ],
)  # fmt: skip
def test_this_machine_is_told_from_others(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback


@pytest.mark.parametrize(
    ("settings", "reference", "address"),
    [
        (RegistrySettings(), "python", "https://registry-1.docker.io"),
        (RegistrySettings(), "r.example/wine", "https://r.example"),
        (RegistrySettings(insecure=frozenset({"r.example:5000"})), "r.example:5000/wine", "http://r.example:5000"),
        (RegistrySettings(), "localhost:5000/wine", "http://localhost:5000"),
    ],
)
def test_registry_is_reached_by_tls_unless_it_is_near_or_named_insecure(
    tmp_path: Path, settings: RegistrySettings, reference: str, address: str
) -> None:
    with open_registries(tmp_path, settings) as registries:
        assert registries.repository(parse_reference(reference)).endpoint.address == address


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (404, {"errors": [{"code": "NAME_UNKNOWN", "message": "no such repository"}]}, "repository-not-found"),
        (404, {"errors": [{"code": "MANIFEST_UNKNOWN"}]}, "image-not-found"),
        (404, "", "image-not-found"),
        (400, {"errors": [{"code": "MANIFEST_INVALID", "message": "media type"}]}, "manifest-invalid"),
        (400, {"errors": [{"code": "TAG_INVALID", "message": "tag is immutable"}]}, "registry-refused"),
        (401, "", "registry-credentials-refused"),
        (403, {"errors": "odd"}, "registry-refused"),
        (405, [], "registry-refused"),
    ],
)
def test_refusals_get_the_code_that_fits(status: int, body: object, code: str) -> None:
    assert explain_refusal("r.example", "wine:1", status, encode(body)).code == code


def test_registrys_own_words_are_shown_shortened_and_printable() -> None:
    body = encode({"errors": [{"code": "DENIED", "message": "no\x1b[31m " + "x" * 1000}]})
    message = explain_refusal("r.example", "wine:1", 403, body).message
    assert "DENIED: no[31m" in message
    assert len(message) < 400


def test_registries_are_closed_with_their_block() -> None:
    opened: Callable[[], Registries] = Registries
    with opened() as registries:
        assert registries.repository(parse_reference("r.example/a")).name == "a"
