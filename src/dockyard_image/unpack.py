"""Taking files out of layers that may be hostile: one file, or a whole layer into a folder of its own.

Owns the checks. A layer's paths and links must stay inside the layer's folder, and only plain files, folders and links come
out of it. Must not apply layers onto each other.
"""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import tarfile
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from gzip import BadGzipFile
from itertools import takewhile
from pathlib import Path, PurePosixPath
from typing import Protocol

from isal import igzip
from isal.igzip_lib import IsalError

from dockyard_image.blobs import Blobs
from dockyard_image.digest import hex_of
from dockyard_image.errors import StoreError
from dockyard_image.files import PARTIAL_PREFIX, lock_file
from dockyard_image.image import StoredImage, StoredLayer

_ISAL_ERROR: type[Exception] = IsalError  # type: ignore[assignment]  # its stub says instance where it means class
_WHITEOUT = ".wh."
_READ = 1 << 20
_LAST_TIME = (1 << 32) - 1
_ONLY_BELOW = {"dependencies": "opt/dockyard/site-packages/", "scorer": "opt/dockyard/scorer/"}


def find_file(blobs: Blobs, image: StoredImage, path: str) -> bytes | None:
    """The content of a file as a container would see it, searched from the top layer down; None if there is none."""
    wanted = PurePosixPath(path.lstrip("/"))
    for layer in reversed(image.layers):
        if not blobs.has(layer.digest) or not str(wanted).startswith(_ONLY_BELOW.get(layer.kind, "")):
            continue
        found, content = _search_layer(blobs, layer, wanted)
        if found:
            return content
    return None


def unpack_layer(blobs: Blobs, layer: StoredLayer, folder: Path) -> Path:
    """Make `<folder>/<hex of the diff id>` hold the layer's files, whole or not at all."""
    target = folder / hex_of(layer.diff_id)
    if target.is_dir():
        return target
    with lock_file(folder / "unpack.lock"):
        for left_over in folder.glob(f"{PARTIAL_PREFIX}*"):  # nobody else is at work here: its maker was killed
            shutil.rmtree(left_over)
        if not target.is_dir():
            partial = Path(tempfile.mkdtemp(prefix=PARTIAL_PREFIX, dir=folder))
            try:
                _extract(blobs, layer, partial)
                partial.chmod(0o755)
                partial.rename(target)
            except BaseException:
                shutil.rmtree(partial)
                raise
    return target


def remove_unpacked(folder: Path, keep: Collection[str]) -> int:
    """Remove the layers below `folder` but those whose diff ids are to be kept; return the bytes freed."""
    if not folder.is_dir():
        return 0
    kept = {hex_of(diff_id) for diff_id in keep}
    freed = 0
    with lock_file(folder / "unpack.lock"):
        for layer in [path for path in folder.iterdir() if path.is_dir() and path.name not in kept]:
            # Renamed first: a removal that is killed must not leave half a layer under its name.
            partial = layer if layer.name.startswith(PARTIAL_PREFIX) else layer.rename(folder / f"{PARTIAL_PREFIX}{layer.name}")
            freed += sum(path.lstat().st_size for path in partial.rglob("*") if path.is_file() and not path.is_symlink())
            shutil.rmtree(partial)
    return freed


class SupportsRead(Protocol):
    """A file or a decompressor around one."""

    def read(self, size: int = -1, /) -> bytes:
        """Up to `size` bytes."""


class _HashingReader(io.BufferedIOBase):
    """Hashes a stream while the tar reader takes it."""

    def __init__(self, source: SupportsRead) -> None:
        super().__init__()
        self._source = source
        self.hasher = hashlib.sha256()

    def read(self, size: int | None = -1, /) -> bytes:
        chunk = self._source.read(-1 if size is None else size)
        self.hasher.update(chunk)
        return chunk


@contextmanager
def _open_tar(blobs: Blobs, layer: StoredLayer) -> Iterator[tuple[tarfile.TarFile, _HashingReader]]:
    """The layer as a tar stream. Raises StoreError, code `blob-damaged`, when it breaks off or is no archive."""
    with blobs.open(layer.digest) as file:
        compressed = file.read(2) == b"\x1f\x8b"
        file.seek(0)
        source = igzip.GzipFile(fileobj=file) if compressed else file  # type: ignore[no-untyped-call]
        reader = _HashingReader(source)
        try:
            with tarfile.open(fileobj=reader, mode="r|", bufsize=_READ) as archive:
                yield archive, reader
        except (tarfile.TarError, EOFError, BadGzipFile, _ISAL_ERROR) as error:
            raise StoreError("blob-damaged", f"layer {layer.digest} is not a whole archive") from error


def _search_layer(blobs: Blobs, layer: StoredLayer, wanted: PurePosixPath) -> tuple[bool, bytes | None]:
    """Whether this layer decides about the file, and its content if the layer has it (a whiteout decides, too)."""
    hidden = {str(parent / f"{_WHITEOUT}{name}") for parent, name in _steps(wanted)}
    hidden |= {str(parent / f"{_WHITEOUT}{_WHITEOUT}.opq") for parent, _ in _steps(wanted)}
    gone = False
    with _open_tar(blobs, layer) as (archive, _):
        for member in archive:
            name = str(PurePosixPath(member.name))
            if name == str(wanted):
                content = archive.extractfile(member) if member.isfile() else None
                return True, content.read() if content else None
            gone = gone or name in hidden
    return gone, None


def _steps(path: PurePosixPath) -> Iterator[tuple[PurePosixPath, str]]:
    for part in (path, *path.parents):
        if part.name:
            yield part.parent, part.name


def _extract(blobs: Blobs, layer: StoredLayer, root: Path) -> None:
    with _open_tar(blobs, layer) as (archive, reader):
        extraction = _Extraction(root)
        for member in archive:
            extraction.place(archive, member)
        while reader.read(_READ):
            pass
    if "sha256:" + reader.hasher.hexdigest() != layer.diff_id:
        raise StoreError("blob-damaged", f"layer {layer.digest} does not hold what its image says")


class _Extraction:
    """Puts the members of one layer below a root, refusing what would leave it."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._links: set[PurePosixPath] = set()

    def place(self, archive: tarfile.TarFile, member: tarfile.TarInfo) -> None:
        path = _inside(member.name)
        if not path.parts or path.name.startswith(_WHITEOUT):
            return
        self._refuse_through_link(path)
        target = self._root / path
        try:
            self._make(archive, member, target)
        except (FileExistsError, NotADirectoryError, IsADirectoryError) as error:
            raise _unsafe(f"{path} is more than one thing") from error

    def _make(self, archive: tarfile.TarFile, member: tarfile.TarInfo, target: Path) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        if member.isdir():
            target.mkdir(exist_ok=True)
        elif member.isfile():
            self._write(archive, member, target)
        elif member.issym():
            self._link(PurePosixPath(member.name), member.linkname)
        elif member.islnk():
            self._copy_link(target, member.linkname)
        else:
            raise _unsafe(f"{member.name} is a device or a pipe")

    def _write(self, archive: tarfile.TarFile, member: tarfile.TarInfo, target: Path) -> None:
        source = archive.extractfile(member)
        if source is None:
            raise _unsafe(f"{member.name} has no content")
        target.unlink(missing_ok=True)
        with target.open("xb") as file:
            shutil.copyfileobj(source, file, _READ)
        target.chmod(0o755 if member.mode & 0o111 else 0o644)
        time = member.mtime if 0 <= member.mtime <= _LAST_TIME else 0
        os.utime(target, (time, time))  # what Python has compiled of it is valid for this time only

    def _link(self, path: PurePosixPath, target: str) -> None:
        """A symbolic link whose text alone shows that it stays inside.

        `..` may only stand at its beginning: after a name it would count from wherever another link leads.
        """
        parts = PurePosixPath(target).parts
        climbs = len(list(takewhile(lambda part: part == "..", parts)))
        if not parts or parts[0] == "/" or ".." in parts[climbs:] or climbs > len(path.parent.parts):
            raise _unsafe(f"{path} is a link that leads out of the layer")
        (self._root / path).symlink_to(target)
        self._links.add(path)

    def _copy_link(self, target: Path, name: str) -> None:
        path = _inside(name)
        self._refuse_through_link(path)
        source = self._root / path
        if source.is_symlink() or not source.is_file():
            raise _unsafe(f"{name} is linked to but is not a file of the layer")
        target.hardlink_to(source)

    def _refuse_through_link(self, path: PurePosixPath) -> None:
        if path in self._links or not self._links.isdisjoint(path.parents):
            raise _unsafe(f"{path} would be written through a link")


def _inside(name: str) -> PurePosixPath:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\0" in name:
        raise _unsafe(f"{name!r} leads out of the layer")
    return path


def _unsafe(reason: str) -> StoreError:
    return StoreError("layer-unsafe", f"a layer cannot be unpacked: {reason}", "Do not use this image.")
