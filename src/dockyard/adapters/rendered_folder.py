"""Owns a folder that files are rendered into: which of its files are ours, and bringing them to what they shall be.

A file is ours if the folder's lock names it with the digest that it has. While files are exchanged, the lock to come lies
beside the one that was; what either names is ours, so that a call that was killed is completed by the next, whatever that is.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from dockyard.adapters.codec import decode
from dockyard.adapters.files import delete_file, write_file
from dockyard.domain.errors import ConflictError, DockyardError
from dockyard.domain.rendering import LOCK, RenderLock
from dockyard.ports_rendering import FolderChange

_COMING = f".{LOCK}.coming"


def read_lock(folder: Path) -> RenderLock | None:
    """What was rendered into a folder last."""
    return _read(folder / LOCK)


def encode_lock(lock: RenderLock) -> bytes:
    """Return a lock as its file has it."""
    return (json.dumps(dataclasses.asdict(lock), ensure_ascii=False, sort_keys=True, indent=2) + "\n").encode()


def write_files(folder: Path, lock: RenderLock, files: Mapping[str, bytes]) -> FolderChange:
    """Bring a folder to these files. Raises ConflictError `render-conflict` before anything is written."""
    known = [one for one in (read_lock(folder), _read(folder / _COMING)) if one is not None]
    _refuse_others(folder, lock, known)
    superfluous = sorted({path for one in known for path in one.files if path not in files and (folder / path).exists()})
    _refuse_changed(folder, [*superfluous, *files], known, files)
    content, is_lock_there = encode_lock(lock), (folder / LOCK).exists()
    written = [path for path in sorted(files) if _digest(folder / path) != lock.files[path]]
    if not written and not superfluous and is_lock_there and (folder / LOCK).read_bytes() == content:
        return FolderChange()
    write_file(folder / _COMING, content)
    for path in written:
        write_file(folder / path, files[path])
    for path in superfluous:
        delete_file(folder / path)
        _remove_empty(folder, (folder / path).parent)
    write_file(folder / LOCK, content)
    delete_file(folder / _COMING)
    return FolderChange(written=(*written, LOCK), removed=tuple(superfluous))


def _read(path: Path) -> RenderLock | None:
    if not path.is_file():
        return None
    lock = decode(RenderLock, path.read_bytes(), what=str(path))
    for name in lock.files:
        if name.startswith("/") or ".." in name.split("/"):
            raise DockyardError("state-corrupt", f"{path} names the file {name}, which is not in its folder")
    return lock


def _refuse_others(folder: Path, lock: RenderLock, known: list[RenderLock]) -> None:
    other = next((one for one in known if one.deployment != lock.deployment), None)
    if other is not None:
        raise ConflictError(
            "render-conflict",
            f"{folder} holds what was rendered of {other.deployment}, not of {lock.deployment}",
            hint="give each deployment a folder of its own with `-o`",
        )


def _refuse_changed(folder: Path, paths: list[str], known: list[RenderLock], files: Mapping[str, bytes]) -> None:
    """Refuse to overwrite or delete what somebody else wrote; what is so already is nobody's."""
    changed = tuple(path for path in paths if _is_foreign(folder / path, set(_list_digests(path, known)), files.get(path)))
    if changed:
        raise ConflictError(
            "render-conflict",
            f"{folder / changed[0]} is not as it was rendered",
            hint="put it back or move it away; changes belong into dockyard.yaml, or into an overlay of your own",
            details=changed[1:],
        )


def _is_foreign(path: Path, known: set[str], content: bytes | None) -> bool:
    digest = _digest(path)
    wanted = f"sha256:{hashlib.sha256(content).hexdigest()}" if content is not None else None
    return path.exists() and digest != wanted and digest not in known


def _list_digests(path: str, known: list[RenderLock]) -> Iterator[str]:
    for one in known:
        if path in one.files:
            yield one.files[path]


def _digest(path: Path) -> str | None:
    return f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}" if path.is_file() else None


def _remove_empty(folder: Path, inner: Path) -> None:
    while inner != folder and not any(inner.iterdir()):
        inner.rmdir()
        inner = inner.parent
