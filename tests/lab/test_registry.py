"""The lab's registries are real ones: what is pushed by the distribution API is there, and only for those who may."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import urllib.error
import urllib.request

import pytest

from support.lab import RegistryLogin

pytestmark = pytest.mark.lab
MANIFEST = "application/vnd.oci.image.manifest.v1+json"


def ask(method: str, url: str, body: bytes | None, headers: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
    """One request; status, headers and body. No status is an error here."""
    request = urllib.request.Request(url, data=body, method=method, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, dict(answer.headers), answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, dict(error.headers), error.read()


def put_blob(base: str, content: bytes, headers: dict[str, str]) -> str:
    """Push a blob in two steps, as the specification has it; its digest."""
    digest = "sha256:" + hashlib.sha256(content).hexdigest()
    status, started, _ = ask("POST", f"{base}/blobs/uploads/", b"", headers)
    assert status == 202
    place = started["Location"]
    place += ("&" if "?" in place else "?") + f"digest={digest}"
    status, _, _ = ask("PUT", place, content, headers | {"Content-Type": "application/octet-stream"})
    assert status == 201
    return digest


def push_and_pull(address: str, headers: dict[str, str]) -> None:
    base = f"http://{address}/v2/lab-test/{secrets.token_hex(4)}"
    config, layer = b"{}", secrets.token_bytes(1000)
    described = [
        {"mediaType": kind, "digest": put_blob(base, content, headers), "size": len(content)}
        for kind, content in (
            ("application/vnd.oci.image.config.v1+json", config),
            ("application/vnd.oci.image.layer.v1.tar", layer),
        )
    ]
    manifest = json.dumps({"schemaVersion": 2, "mediaType": MANIFEST, "config": described[0], "layers": described[1:]}).encode()
    status, _, _ = ask("PUT", f"{base}/manifests/1", manifest, headers | {"Content-Type": MANIFEST})
    assert status == 201
    status, answer, pulled = ask("GET", f"{base}/manifests/1", None, headers | {"Accept": MANIFEST})
    assert (status, pulled) == (200, manifest)
    assert answer["Docker-Content-Digest"] == "sha256:" + hashlib.sha256(manifest).hexdigest()
    assert ask("GET", f"{base}/blobs/{described[1]['digest']}", None, headers)[2] == layer


def test_open_registry_gives_back_the_blob_it_was_given(lab_registry: str) -> None:
    push_and_pull(lab_registry, {})


def test_registry_with_credentials_serves_those_who_have_them(lab_registry_auth: RegistryLogin) -> None:
    basic = base64.b64encode(f"{lab_registry_auth.user}:{lab_registry_auth.password}".encode()).decode()
    push_and_pull(lab_registry_auth.address, {"Authorization": f"Basic {basic}"})


@pytest.mark.parametrize("credentials", ["", "dockyard:wrong"])
def test_registry_with_credentials_refuses_everybody_else(lab_registry_auth: RegistryLogin, credentials: str) -> None:
    headers = {"Authorization": "Basic " + base64.b64encode(credentials.encode()).decode()} if credentials else {}
    status, answer, _ = ask("GET", f"http://{lab_registry_auth.address}/v2/", None, headers)
    assert status == 401
    assert "basic" in answer["Www-Authenticate"].lower()
