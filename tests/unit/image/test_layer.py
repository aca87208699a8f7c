"""A layer's bytes depend on its content alone. The digests here are pinned: they must be the same on every machine."""

from __future__ import annotations

import gzip
import io
import itertools
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dockyard_image import RecipeError
from dockyard_image.blobs import Blobs
from dockyard_image.gzip_stream import COMPRESSION
from dockyard_image.layer import store_layer
from dockyard_image.tar_stream import FileEntry, entry_of_bytes, entry_of_file, stream_tar
from support.images import sha256

LONG = "d/" * 80 + "größe-" + "n" * 120


def sample() -> Iterator[FileEntry]:
    yield entry_of_bytes("b/two.txt", b"2" * 700)
    yield entry_of_bytes("a.txt", b"")
    yield FileEntry(path="b/run", size=3, open=lambda: io.BytesIO(b"#!\n"), executable=True)
    yield entry_of_bytes(LONG, bytes(range(256)) * 9000)


def test_tar_bytes_are_the_same_on_every_python() -> None:
    assert sha256(b"".join(stream_tar(sample()))) == "sha256:04ff9c8db6e2be7ece8e9436fedb04f9bbfb6ccd31e5c661480bbc6fdd3d349f"


def test_compressed_bytes_are_the_same_for_this_compressor(tmp_path: Path) -> None:
    stored = store_layer(stream_tar(sample()), Blobs(tmp_path))
    known = {"isal-2.32.1-level-1": "sha256:26b2bf1d5ca098589a7dc8c7a4a85c52f28c4af0cb6859b0a1a58936c0bcef1f"}
    assert stored.digest == known.get(COMPRESSION, stored.digest)
    assert COMPRESSION.startswith("isal-2.")


def test_order_and_pieces_of_the_input_do_not_matter(tmp_path: Path) -> None:
    tar = b"".join(stream_tar(sample()))
    blobs = Blobs(tmp_path)
    whole = store_layer([tar], blobs)
    assert store_layer((tar[start : start + 700_001] for start in range(0, len(tar), 700_001)), blobs) == whole
    for order in itertools.permutations(list(sample())):
        assert b"".join(stream_tar(order)) == tar


def test_layer_is_a_plain_archive_of_roots_own_files(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path)
    stored = store_layer(stream_tar(sample()), blobs)
    content = gzip.decompress(blobs.read(stored.digest))
    assert stored.diff_id == sha256(content)
    assert stored.size == blobs.path(stored.digest).stat().st_size
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        members = archive.getmembers()
    assert [member.name for member in members[:4]] == ["a.txt", "b", "b/run", "b/two.txt"]
    assert {(member.uid, member.gid, member.uname, member.gname, member.mtime) for member in members} == {(0, 0, "", "", 0)}
    assert {member.name: oct(member.mode) for member in members[:4]} == {
        "a.txt": "0o644", "b": "0o755", "b/run": "0o755", "b/two.txt": "0o644",
    }  # fmt: skip
    assert members[-1].name == LONG


paths = st.lists(st.text(alphabet="abcäß \"'$", min_size=1, max_size=6), min_size=1, max_size=4).map("/".join)


@settings(max_examples=60)
@given(st.dictionaries(paths, st.binary(max_size=2000), max_size=8))
def test_whatever_goes_in_comes_out(files: dict[str, bytes]) -> None:
    entries = [entry_of_bytes(path, content) for path, content in files.items()]
    clash = any(other.startswith(f"{path}/") for path in files for other in files)
    if clash:
        with pytest.raises(RecipeError, match=r"both a file and a folder|twice"):
            list(stream_tar(entries))
        return
    with tarfile.open(fileobj=io.BytesIO(b"".join(stream_tar(entries)))) as archive:
        found = {member.name: archive.extractfile(member) for member in archive if member.isfile()}
        assert {name: source.read() if source else None for name, source in found.items()} == files


@pytest.mark.parametrize("path", ["", "/a", "a/", "../a", "a/../b", "./a", "a//b", "a\0b", ".wh.a", "a/.wh..wh..opq", "\udcff"])
def test_path_that_is_none_is_refused(path: str) -> None:
    with pytest.raises(RecipeError) as caught:
        list(stream_tar([entry_of_bytes(path, b"")]))
    assert caught.value.code == "layer-invalid"


def test_same_path_twice_is_refused() -> None:
    with pytest.raises(RecipeError, match="twice"):
        list(stream_tar([entry_of_bytes("a", b"1"), entry_of_bytes("a", b"2")]))


@pytest.mark.parametrize("change", [b"", b"more than before"])
def test_file_that_changes_while_it_is_read_ends_the_build(tmp_path: Path, change: bytes) -> None:
    file = tmp_path / "f"
    file.write_bytes(b"before")
    entry = entry_of_file("f", file)
    file.write_bytes(change)
    with pytest.raises(RecipeError, match="changed"):
        store_layer(stream_tar([entry]), Blobs(tmp_path))
    assert Blobs(tmp_path).list_digests() == []
    assert list((tmp_path / "tmp").iterdir()) == []


def test_file_that_vanishes_before_it_is_read_ends_the_build(tmp_path: Path) -> None:
    file = tmp_path / "f"
    file.write_bytes(b"before")
    entry = entry_of_file("opt/f", file)
    file.unlink()
    with pytest.raises(RecipeError, match=r"opt/f cannot be read: No such file") as caught:
        list(stream_tar([entry]))
    assert caught.value.code == "layer-invalid"
