"""Blobs on their way into the registry: pieces are appended to a file, whose digest is known when the last one is there.

Owns upload sessions. Must not know repositories.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from dockyard_image.blobs import Blobs
from dockyard_image.digest import is_digest

_READ = 1 << 20


class UploadError(Exception):
    """An upload that cannot go on, with the code of the distribution specification."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


@dataclass(slots=True)
class _Session:
    path: Path
    size: int = 0
    hasher: hashlib._Hash = field(default_factory=hashlib.sha256)
    lock: threading.Lock = field(default_factory=threading.Lock)


class Uploads:
    """The uploads under way into one blob store."""

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs
        self._sessions: dict[str, _Session] = {}
        self._lock = threading.Lock()

    def start(self) -> str:
        """Begin an upload; returns its name."""
        name = secrets.token_hex(16)
        self._blobs.temporary.mkdir(parents=True, exist_ok=True)
        session = _Session(self._blobs.temporary / f"upload-{name}")
        session.path.touch()
        with self._lock:
            self._sessions[name] = session
        return name

    def size(self, name: str) -> int:
        """How many bytes have come. Raises UploadError `BLOB_UPLOAD_UNKNOWN`."""
        return self._find(name).size

    def append(self, name: str, stream: BinaryIO, *, start: int | None = None) -> int:
        """Take a piece; returns how many bytes there are now. Raises UploadError, also when it does not begin at `start`."""
        session = self._find(name)
        with session.lock:
            if start is not None and start != session.size:
                raise UploadError(416, "BLOB_UPLOAD_INVALID", f"the upload goes on at {session.size}, not at {start}")
            with session.path.open("ab") as file:
                while piece := stream.read(_READ):
                    file.write(piece)
                    session.hasher.update(piece)
                    session.size += len(piece)
            return session.size

    def finish(self, name: str, digest: str) -> None:
        """Put what came into the store. Raises UploadError `DIGEST_INVALID`; the upload is over then, too."""
        session = self._find(name)
        with session.lock:
            self._forget(name)
            if not is_digest(digest) or session.hasher.hexdigest() != digest.partition(":")[2]:
                session.path.unlink()
                raise UploadError(400, "DIGEST_INVALID", "provided digest did not match uploaded content")
            target = self._blobs.path(digest)
            target.parent.mkdir(parents=True, exist_ok=True)
            session.path.replace(target)

    def cancel(self, name: str) -> None:
        """Drop an upload. Raises UploadError `BLOB_UPLOAD_UNKNOWN`."""
        session = self._find(name)
        with session.lock:
            self._forget(name)
            session.path.unlink(missing_ok=True)

    def _find(self, name: str) -> _Session:
        with self._lock:
            session = self._sessions.get(name)
        if session is None:
            raise UploadError(404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry")
        return session

    def _forget(self, name: str) -> None:
        with self._lock:
            self._sessions.pop(name, None)
