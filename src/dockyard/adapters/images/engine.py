"""Owns the engine builder: has a Docker engine build a serving image, and brings it into the local store.

For models that need a compiler or system packages. Must not decide when it is used. Uses the engine's classic builder: the
`docker` package does not speak BuildKit's protocol.
"""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import closing
from typing import IO, TYPE_CHECKING

from dockyard.adapters.images.dockerfile import BuildContext, write_context
from dockyard.adapters.local.engine import open_engine, translated_engine
from dockyard.domain.errors import BuildError

if TYPE_CHECKING:
    from docker import DockerClient

    from dockyard.ports import Progress
    from dockyard_image.image import StoredImage
    from dockyard_image.media import Dialect
    from dockyard_image.store import ImageStore

_BUILD_LINES = 20
_TIMEOUT_SECONDS = 3600


def build_with_engine(
    context: BuildContext, store: ImageStore, *, platform: str, media: Dialect, progress: Progress
) -> StoredImage:
    """Build, save into the store, and leave only the build cache in the engine.

    Raises BuildError `build-failed` with the last lines of the build, UnavailableError `docker-unavailable`.
    """
    with translated_engine("build the image"), closing(open_engine(_TIMEOUT_SECONDS)) as engine:
        with tempfile.TemporaryFile() as file:
            write_context(context, file)
            file.seek(0)
            image_id = _build(engine, file, platform, progress)
        try:
            archive = io.BufferedReader(_Chunks(engine.api.get_image(image_id)), buffer_size=1 << 20)
            return store.import_docker_archive(archive, media=media)
        finally:
            engine.api.remove_image(image_id, force=True, noprune=True)


def _build(engine: DockerClient, context: IO[bytes], platform: str, progress: Progress) -> str:
    events = engine.api.build(fileobj=context, custom_context=True, rm=True, forcerm=True, decode=True, platform=platform)
    lines: list[str] = []
    image_id = ""
    for event in events:
        for line in str(event.get("stream", "")).splitlines():
            lines = [*lines[-_BUILD_LINES:], line]
            if line.startswith("Step "):
                progress.note(line)
        if "error" in event:
            raise BuildError(
                "build-failed",
                f"the Docker engine could not build the image: {str(event['error']).strip()}",
                hint="the build's last lines are above; do the model's requirements install on a bare base image?",
                details=tuple(lines),
            )
        image_id = event.get("aux", {}).get("ID", image_id)
    if not image_id:
        raise BuildError("build-failed", "the Docker engine named no image at the end of the build", details=tuple(lines))
    return image_id


class _Chunks(io.RawIOBase):
    """Chunks of bytes as a file that is read once."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks: Iterator[bytes] = iter(chunks)
        self._rest = b""

    def readable(self) -> bool:
        """It is for nothing else."""
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        """Fill the buffer with what is left of a chunk, or the next one."""
        while not self._rest:
            chunk = next(self._chunks, None)
            if chunk is None:
                return 0
            self._rest = chunk
        taken = self._rest[: len(buffer)]
        buffer[: len(taken)] = taken
        self._rest = self._rest[len(taken) :]
        return len(taken)
