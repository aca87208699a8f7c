"""The scanner of secrets finds them wherever they are planted: a test that finds none would prove nothing otherwise."""

from __future__ import annotations

import base64
import gzip
import io
import json
from collections.abc import Callable, Mapping
from urllib.parse import quote

import pytest

from support.images import layer_tar, sha256
from support.secret_scan import find_secrets, scan_image

SECRETS = ("Mysql1234#", """a b'"%#@:/?\\&next""")
IN_TEXTS: Mapping[str, Callable[[str], str]] = {
    "as it is": lambda secret: f"password={secret}\n",
    "in an address": lambda secret: f"mysql://mlflow:{quote(secret, safe='')}@db/mlflow",
    "in JSON": lambda secret: json.dumps({"password": secret}),
    "in the login of a registry": lambda secret: base64.b64encode(f"dockyard:{secret}".encode()).decode(),
    "in a Secret": lambda secret: base64.b64encode(secret.encode()).decode(),
    "in the midst of base64": lambda secret: base64.b64encode(f"user={secret}&more".encode()).decode(),
}


@pytest.mark.parametrize("way", IN_TEXTS)
@pytest.mark.parametrize("number", [0, 1])
def test_secret_is_found(way: str, number: int) -> None:
    text = f"before {IN_TEXTS[way](SECRETS[number])} after".encode()
    assert find_secrets(io.BytesIO(text), SECRETS) == {number}
    assert find_secrets(io.BytesIO(gzip.compress(text)), SECRETS) == {number}


def test_secret_is_found_across_the_border_of_what_is_read_at_once() -> None:
    for place in range((1 << 22) - 12, (1 << 22) + 2):
        assert find_secrets(io.BytesIO(bytes(place) + b"Mysql1234#"), SECRETS) == {0}


def test_nothing_is_found_where_nothing_is() -> None:
    assert find_secrets(io.BytesIO(b"Mysql1234 # Mysql123" * 1000), SECRETS) == set()
    assert find_secrets(io.BytesIO(b""), SECRETS) == set()


def test_secret_is_found_in_every_part_of_an_image() -> None:
    hidden = gzip.compress(layer_tar({"run/password": SECRETS[0].encode()}))
    hiding = gzip.compress(layer_tar({"run/.wh.password": b""}))
    config = json.dumps({"config": {"Env": ["A=1"]}, "history": [{"created_by": f"RUN login {SECRETS[1]}"}]}).encode()
    parts = {sha256(one): one for one in (hidden, hiding, config)}
    blobs = {f"blobs/{digest}": content for digest, content in parts.items()}
    described = {
        "config": {"digest": sha256(config)},
        "layers": [{"digest": sha256(hidden)}, {"digest": sha256(hiding)}],
        "annotations": {"from": quote(SECRETS[0])},
    }
    blobs["manifests/it"] = json.dumps(described).encode()
    found = scan_image(lambda path: io.BytesIO(blobs[path]), "it", SECRETS)
    assert found == {"manifest": {0}, "configuration": {1}, sha256(hidden): {0}}
