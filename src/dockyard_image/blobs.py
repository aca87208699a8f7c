"""Content named by its digest, in the `blobs/sha256` folder of an OCI image layout.

Owns the files and their names. Must not know what a blob means. A blob appears whole or not at all; two writers of the same
content do not disturb each other.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from dockyard_image.digest import digest_bytes, hex_of
from dockyard_image.errors import StoreError
from dockyard_image.files import write_draft


class NewBlob:
    """A blob that is being written; `digest` names it once the block that made it has ended."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._hasher = hashlib.sha256()
        self.size = 0

    def write(self, chunk: bytes) -> None:
        """Append some bytes."""
        self._file.write(chunk)
        self._hasher.update(chunk)
        self.size += len(chunk)

    @property
    def digest(self) -> str:
        """The digest of what has been written so far."""
        return "sha256:" + self._hasher.hexdigest()


class Blobs:
    """The blobs of one layout. `temporary` holds what is being written, and what a killed process left behind."""

    def __init__(self, root: Path) -> None:
        self._folder = root / "blobs" / "sha256"
        self.temporary = root / "tmp"

    def path(self, digest: str) -> Path:
        """Where a blob is, or would be."""
        return self._folder / hex_of(digest)

    def has(self, digest: str) -> bool:
        """Whether a blob is here."""
        return self.path(digest).is_file()

    def open(self, digest: str) -> IO[bytes]:
        """Open a blob for reading. Raises StoreError, code `blob-missing`."""
        try:
            return self.path(digest).open("rb")
        except FileNotFoundError as error:
            raise StoreError("blob-missing", f"{digest} is not in the image store", "Build the image again.") from error

    def read(self, digest: str) -> bytes:
        """A small blob, checked against its digest. Raises StoreError: `blob-missing`, `blob-damaged`."""
        with self.open(digest) as file:
            content = file.read()
        if digest_bytes(content) != digest:
            hint = "Remove the file from the image store and build the image again."
            raise StoreError("blob-damaged", f"{digest} does not hold what its name says", hint)
        return content

    def put(self, content: bytes) -> str:
        """Store a small blob; returns its digest."""
        with self.create() as blob:
            blob.write(content)
        return blob.digest

    @contextmanager
    def create(self) -> Iterator[NewBlob]:
        """A new blob to write; it is stored under its digest when the block ends well."""
        with write_draft(self.temporary) as draft:
            blob = NewBlob(draft.file)
            yield blob
            draft.target = self.path(blob.digest)

    def list_digests(self) -> list[str]:
        """Every blob that is here."""
        if not self._folder.is_dir():
            return []
        return sorted(f"sha256:{file.name}" for file in self._folder.iterdir())

    def remove(self, digest: str) -> int:
        """Delete a blob; returns the bytes that this freed."""
        path = self.path(digest)
        size = path.stat().st_size
        path.unlink()
        return size
