"""The wheel cache: every wheel once, named by its digest, fetched in parallel.

Owns fetching and keeping wheels. Must not open them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from urllib.parse import unquote, urlsplit

import urllib3

from dockyard_image.download import Chunks, download
from dockyard_image.errors import ImageError, WheelError
from dockyard_image.files import mark_used
from dockyard_image.indexes import IndexSettings, read_index_settings
from dockyard_image.lockfile import Lock, LockedWheel
from dockyard_image.parallel import run_parallel
from dockyard_image.progress import Counter, Progress, ignore_progress
from dockyard_image.retry import RetryPolicy, TransientError, with_retries
from dockyard_image.transport import CHUNK, Transport, TransportError, stream

_THREADS = 8


class WheelCache:
    """Wheels in a folder, shared by every build of a user."""

    def __init__(self, folder: Path, *, indexes: IndexSettings | None = None, policy: RetryPolicy | None = None) -> None:
        self._folder = folder
        self._indexes = indexes
        self._policy = policy or RetryPolicy()

    def fetch(self, lock: Lock, progress: Progress = ignore_progress) -> Mapping[LockedWheel, Path]:
        """The file of every wheel of a lock, fetching what is not here yet.

        Raises WheelError: `wheel-unavailable` (the index has it no more, or refuses), `index-unreachable`.
        """
        files = {wheel: self._folder / wheel.sha256 / wheel.filename for wheel in lock.wheels}
        missing = [wheel for wheel, file in files.items() if not file.exists()]
        for file in files.values():
            mark_used(file.parent)
        if missing:
            self._fetch_missing({wheel: files[wheel] for wheel in missing}, progress)
        return files

    def _fetch_missing(self, files: Mapping[LockedWheel, Path], progress: Progress) -> None:
        sizes = [wheel.size for wheel in files]
        total = None if None in sizes else sum(size or 0 for size in sizes)
        counter = Counter("fetching packages", total, progress)
        indexes = self._indexes or read_index_settings(os.environ, Path.home())
        transport = Transport()
        try:
            sources = ((_Source(wheel, transport, indexes), file) for wheel, file in files.items())
            run_parallel([partial(self._fetch_one, source, file, counter) for source, file in sources], _THREADS)
        finally:
            transport.close()

    def _fetch_one(self, source: _Source, file: Path, counter: Counter) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        fetch = partial(download, file, f"sha256:{source.wheel.sha256}", source.open_at, counter.advance)
        with_retries(fetch, self._policy, source.give_up)


class _Source:
    """Where one wheel comes from."""

    def __init__(self, wheel: LockedWheel, transport: Transport, indexes: IndexSettings) -> None:
        self.wheel = wheel
        self._transport = transport
        self._indexes = indexes

    def open_at(self, offset: int) -> Chunks:
        parts = urlsplit(self.wheel.url)
        if parts.scheme in {"", "file"}:
            return self._open_file(Path(unquote(parts.path)))
        headers = {"Accept-Encoding": "identity"}
        if credentials := self._indexes.credentials_for(parts.netloc):
            headers |= urllib3.make_headers(basic_auth=":".join(credentials))
        if offset:
            headers["Range"] = f"bytes={offset}-"
        try:
            response = self._transport.send("GET", self.wheel.url, headers)
        except TransportError as error:
            raise self._unavailable(str(error)) from error
        if response.status == 416:  # the partial file is longer than the wheel: start over
            response.drain_conn()
            return self.open_at(0)
        if response.status not in {200, 206}:
            response.drain_conn()
            raise self._unavailable(f"the index answered {response.status}")
        return Chunks(offset=offset if response.status == 206 else 0, data=stream(response))

    def _open_file(self, path: Path) -> Chunks:
        if not path.is_file():
            raise self._unavailable("the file is gone")
        return Chunks(offset=0, data=_read_chunks(path))

    def give_up(self, error: TransientError) -> ImageError:
        return WheelError(
            "index-unreachable",
            f"{self.wheel.filename} could not be fetched: {error.reason}",
            "Check the network and the package index, then try again; what was fetched is kept.",
        )

    def _unavailable(self, reason: str) -> WheelError:
        return WheelError(
            "wheel-unavailable",
            f"{self.wheel.filename} could not be fetched: {reason}",
            "Lock the requirements anew, or check the index and its credentials.",
        )


def _read_chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            yield chunk
