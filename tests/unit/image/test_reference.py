"""Image references are read as Docker reads them, and nothing else passes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockyard_image import ImageReference, InvalidReferenceError, parse_reference

DIGEST = "sha256:" + "a1" * 32

component = st.from_regex(r"[a-z0-9]{1,8}((\.|_|__|-{1,3})[a-z0-9]{1,8}){0,2}", fullmatch=True)
hosts = st.from_regex(
    r"[a-z0-9]{1,6}(\.[a-z0-9]{1,6}){1,2}(:[0-9]{2,5})?|localhost(:[0-9]{2,5})?|\[::1\]:[0-9]{2,5}", fullmatch=True
)
tags = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}", fullmatch=True)
digests = st.from_regex(r"sha256:[0-9a-f]{64}", fullmatch=True)


@pytest.mark.parametrize(
    ("text", "host", "repository", "tag", "digest"),
    [
        ("python", "docker.io", "library/python", "", ""),
        ("python:3.11-slim", "docker.io", "library/python", "3.11-slim", ""),
        ("team/wine", "docker.io", "team/wine", "", ""),
        ("index.docker.io/python", "docker.io", "library/python", "", ""),
        ("docker.io/team/wine:1", "docker.io", "team/wine", "1", ""),
        ("localhost/wine", "localhost", "wine", "", ""),
        ("localhost:5000/wine:1", "localhost:5000", "wine", "1", ""),
        ("127.0.0.1:5000/a/b/c:x", "127.0.0.1:5000", "a/b/c", "x", ""),
        ("[::1]:5000/wine", "[::1]:5000", "wine", "", ""),
        ("Registry/wine", "Registry", "wine", "", ""),
        (f"registry.example.com/wine:1@{DIGEST}", "registry.example.com", "wine", "1", DIGEST),
        (f"wine@{DIGEST}", "docker.io", "library/wine", "", DIGEST),
        ("123.dkr.ecr.eu-west-1.amazonaws.com/m__x/y---z:1", "123.dkr.ecr.eu-west-1.amazonaws.com", "m__x/y---z", "1", ""),
    ],
)
def test_reference_is_normalised_as_docker_does(text: str, host: str, repository: str, tag: str, digest: str) -> None:
    assert parse_reference(text) == ImageReference(host=host, repository=repository, tag=tag, digest=digest)


@pytest.mark.parametrize(
    "text",
    [
        "", ":", "@", "/", "a//b", "/a", "a/", "UPPER", "a/UPPER", "a:", "a:b:c", "a@sha256:12", f"a@{DIGEST}0",
        f"a@md5:{'a' * 32}", "a b", "a\n", "a:tag\n", "-a/b", "host.:5000/a", "host:port/a",
        "a..b", "a___b", "a:" + "t" * 129, "x/" * 130 + "y",
        "a:.tag", "http://host/a", "host:123456/a", f"a@{DIGEST}@{DIGEST}", "..", "a/../b", "é/b", "a:é",
    ],
)  # fmt: skip
def test_what_is_no_reference_is_refused_with_a_code(text: str) -> None:
    with pytest.raises(InvalidReferenceError) as caught:
        parse_reference(text)
    assert caught.value.code == "reference-invalid"
    assert caught.value.hint


def test_password_in_a_mistyped_reference_is_not_repeated() -> None:
    with pytest.raises(InvalidReferenceError) as caught:
        parse_reference("https://anna:hunter2@registry.example.com/wine")
    assert "hunter2" not in f"{caught.value} {caught.value!r} {caught.value.hint}"


@given(hosts, st.lists(component, min_size=1, max_size=4), st.none() | tags, st.none() | digests)
def test_whole_reference_survives_writing_and_reading(host: str, parts: list[str], tag: str | None, digest: str | None) -> None:
    text = f"{host}/{'/'.join(parts)}" + (f":{tag}" if tag else "") + (f"@{digest}" if digest else "")
    parsed = parse_reference(text)
    assert (parsed.host, parsed.tag, parsed.digest) == (host, tag or "", digest or "")
    assert parse_reference(str(parsed)) == parsed
    assert parsed.selector == (digest or tag or "latest")


@given(st.text(max_size=60) | st.from_regex(r"[a-zA-Z0-9./:@_-]{1,60}", fullmatch=True))
def test_any_text_is_either_refused_or_has_one_meaning(text: str) -> None:
    try:
        parsed = parse_reference(text)
    except InvalidReferenceError:
        return
    assert parse_reference(str(parsed)) == parsed
    assert parse_reference(parsed.name).name == parsed.name
    assert not set(str(parsed)) & set(" \n\t\\?#%")


def test_pinned_reference_keeps_its_tag_but_asks_for_the_digest() -> None:
    pinned = parse_reference("python:3.11").pinned(DIGEST)
    assert str(pinned) == f"docker.io/library/python:3.11@{DIGEST}"
    assert pinned.selector == DIGEST
