"""Writing a layer's tar stream: sorted, owned by root, without times, so that equal content gives equal bytes.

Owns the order, the metadata and the parent folders. Must not compress or store.
"""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from dockyard_image.errors import RecipeError

_READ = 1 << 20
_END = b"\0" * (2 * tarfile.BLOCKSIZE)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileEntry:
    """One regular file of a layer: `path` from the image's root, and how to open its content."""

    path: str
    size: int
    open: Callable[[], IO[bytes]]
    executable: bool = False


def entry_of_bytes(path: str, content: bytes) -> FileEntry:
    """An entry whose content is already in memory."""
    return FileEntry(path=path, size=len(content), open=lambda: io.BytesIO(content))


def entry_of_file(path: str, file: Path) -> FileEntry:
    """An entry read from a file when its turn comes."""
    return FileEntry(path=path, size=file.stat().st_size, open=lambda: file.open("rb"))


def stream_tar(entries: Iterable[FileEntry]) -> Iterator[bytes]:
    """The tar stream of some files. Raises RecipeError, code `layer-invalid`, for unsafe or repeated paths."""
    ordered = sorted(entries, key=lambda entry: entry.path)
    folders: set[str] = set()
    files: set[str] = set()
    for entry in ordered:
        _check_path(entry.path)
        for folder in _parents(entry.path):
            if folder in files:
                raise _invalid(f"{folder} is both a file and a folder")
            if folder not in folders:
                folders.add(folder)
                yield _header(folder, tarfile.DIRTYPE, 0, 0o755)
        if entry.path in files or entry.path in folders:
            raise _invalid(f"{entry.path} is in the layer twice")
        files.add(entry.path)
        yield _header(entry.path, tarfile.REGTYPE, entry.size, 0o755 if entry.executable else 0o644)
        yield from _content(entry)
    yield _END


def _content(entry: FileEntry) -> Iterator[bytes]:
    left = entry.size
    try:
        source = entry.open()
    except OSError as error:
        raise _invalid(f"{entry.path} cannot be read: {error.strerror}") from error
    with source as file:
        while chunk := file.read(_READ):
            left -= len(chunk)
            yield chunk
    if left:
        raise _invalid(f"{entry.path} changed while it was read")
    if padding := -entry.size % tarfile.BLOCKSIZE:
        yield b"\0" * padding


def _header(path: str, kind: bytes, size: int, mode: int) -> bytes:
    member = tarfile.TarInfo(path)
    member.type, member.size, member.mode = kind, size, mode
    return member.tobuf(tarfile.PAX_FORMAT, "utf-8", "strict")


def _parents(path: str) -> list[str]:
    return [str(parent) for parent in reversed(PurePosixPath(path).parents) if str(parent) != "."]


def _check_path(path: str) -> None:
    parts = path.split("/")
    unreadable = path.encode("utf-8", "ignore").decode() != path  # bytes on disk that are not UTF-8
    if not path or unreadable or "\0" in path or any(part in {"", ".", ".."} or part.startswith(".wh.") for part in parts):
        raise _invalid(f"{path!r} is not a path inside the image")


def _invalid(message: str) -> RecipeError:
    return RecipeError("layer-invalid", f"a layer cannot be made: {message}")
