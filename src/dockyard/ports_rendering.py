"""Owns the Protocol between rendering and what writes files, for whichever target. Must not implement it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

from dockyard.domain.rendering import RenderLock

BlueprintT_contra = TypeVar("BlueprintT_contra", contravariant=True)
ShapeT_contra = TypeVar("ShapeT_contra", contravariant=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderChange:
    """What writing into a folder changed, as paths below it."""

    written: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


class Renderer(Protocol[BlueprintT_contra, ShapeT_contra]):
    """Makes files of what a deployment consists of, and keeps a folder of them."""

    def render_files(self, blueprint: BlueprintT_contra, shape: ShapeT_contra) -> Mapping[str, bytes]:
        """Return the files by path. Equal input gives equal bytes. Raises UsageError `secret-found`, `setting-invalid`."""
        ...

    def read_lock(self, folder: Path) -> RenderLock | None:
        """What was rendered into a folder last; None where nothing was. Raises `state-corrupt`."""
        ...

    def write_files(self, folder: Path, lock: RenderLock, files: Mapping[str, bytes]) -> FolderChange:
        """Bring a folder to hold these files, and none of an earlier render beside them; what is not ours stays.

        A kill at any moment leaves what the same call completes. Raises ConflictError `render-conflict` before anything is
        written.
        """
        ...
