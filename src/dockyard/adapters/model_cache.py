"""Owns the cache of model files: each model once, under the digest of its files, complete or not there at all.

    <folder>/<sha256>/model/…      the files, read-only
    <folder>/<sha256>/files.json   their sizes, to notice a cache that somebody tidied up by hand
    <folder>/index/<hash>.json     which digest an immutable source had
    <folder>/incoming/…            what is being fetched; left behind by a kill, removed a day later

Any number of processes may work on it at once: everything appears by an atomic rename. Must not know where files come from.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from dockyard.adapters.files import sync_folder
from dockyard.adapters.model_files import digest_folder, list_files
from dockyard.domain.errors import DockyardError
from dockyard.domain.model import ModelDigest
from dockyard_image.files import mark_used

_STALE_SECONDS = 24 * 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class CachedModel:
    """A model's files in the cache."""

    folder: Path
    digest: ModelDigest
    size_bytes: int


class ModelCache:
    """Model files by digest, below a folder that need not exist."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find_model(self, source: tuple[str, ...]) -> CachedModel | None:
        """The files of an immutable source that was fetched before, if they are still whole."""
        try:
            return self.find_digest(ModelDigest(json.loads(self._index_path(source).read_bytes())["digest"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def find_digest(self, digest: ModelDigest) -> CachedModel | None:
        """The files of a digest, if they are there and whole."""
        path = self._path(digest)
        try:
            sizes = json.loads((path / "files.json").read_bytes())
            is_whole = all((path / "model" / name).stat().st_size == size for name, size in sizes.items())
        except (OSError, ValueError, AttributeError):
            return None
        if not is_whole:
            return None
        mark_used(path)
        return CachedModel(folder=path / "model", digest=digest, size_bytes=sum(sizes.values()))

    def add_model(self, fetch: Callable[[Path], Path], what: str, source: tuple[str, ...] | None = None) -> CachedModel:
        """Let `fetch` put a model's files into an empty folder, and keep what is in the folder that it returns.

        With `source` given, `find_model` will know them again. `what` names the model in errors.
        """
        try:
            return self._add_model(fetch, what, source)
        except OSError as error:
            raise DockyardError(
                "cache-unusable",
                f"{what} could not be kept in the cache: {error.strerror or type(error).__name__}",
                hint=f"is there room, and may you write to `{self._folder}`? All of it may be deleted",
            ) from error

    def _add_model(self, fetch: Callable[[Path], Path], what: str, source: tuple[str, ...] | None) -> CachedModel:
        incoming = self._folder / "incoming"
        incoming.mkdir(parents=True, exist_ok=True)
        _remove_stale(incoming)
        with tempfile.TemporaryDirectory(dir=incoming, ignore_cleanup_errors=True) as name:
            fetched = fetch(_make_folder(Path(name) / "fetched"))
            files = list_files(fetched, what)
            digest = digest_folder(fetched, files)
            model = self.find_digest(digest) or self._publish(fetched, files, digest, Path(name))
        if source is not None:
            self._write_index(source, digest)
        return model

    def _publish(self, fetched: Path, files: tuple[str, ...], digest: ModelDigest, scratch: Path) -> CachedModel:
        staged = _make_folder(scratch / "staged")
        for name in files:
            target = staged / "model" / name
            target.parent.mkdir(parents=True, exist_ok=True)
            # A move, except for links, whose content counts: fetched files are ours.
            _ = shutil.copyfile(fetched / name, target) if (fetched / name).is_symlink() else (fetched / name).replace(target)
            _make_durable(target)
        sizes = {name: (staged / "model" / name).stat().st_size for name in files}
        (staged / "files.json").write_text(json.dumps(sizes))
        _make_durable(staged / "files.json")
        target = self._path(digest)
        try:
            staged.replace(target)
        except OSError:  # another process was faster, or what is there is damaged
            if (found := self.find_digest(digest)) is not None:
                return found
            target.replace(scratch / "damaged")
            staged.replace(target)
        sync_folder(self._folder)
        return CachedModel(folder=target / "model", digest=digest, size_bytes=sum(sizes.values()))

    def _write_index(self, source: tuple[str, ...], digest: ModelDigest) -> None:
        path = self._index_path(source)
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=self._folder / "incoming", delete=False) as file:
            json.dump({"source": source, "digest": digest}, file)
        Path(file.name).replace(path)

    def _path(self, digest: ModelDigest) -> Path:
        return self._folder / digest.removeprefix("sha256:")

    def _index_path(self, source: tuple[str, ...]) -> Path:
        key = hashlib.sha256(json.dumps(source).encode()).hexdigest()
        return self._folder / "index" / f"{key}.json"


def _make_folder(path: Path) -> Path:
    path.mkdir()
    return path


def _make_durable(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
    path.chmod(0o444)


def _remove_stale(incoming: Path) -> None:
    for path in incoming.iterdir():
        try:
            is_stale = time.time() - path.stat().st_mtime > _STALE_SECONDS
        except OSError:  # its owner has just finished
            continue
        if is_stale:
            shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)
