"""Owns writing small files so that they survive a kill or a power cut at any moment. Standard library only.

A reader sees the old content or the new, never a part. Must not know what the files hold.
"""

from __future__ import annotations

import os
from pathlib import Path


def write_file(path: Path, content: bytes) -> None:
    """Replace the file, whole and durably, making its folder where there is none. One writer at a time per path.

    The name of the unfinished file is fixed, so that one which a killed writer left behind is overwritten by the next.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.new")
    with unfinished.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)
    sync_folder(path.parent)


def delete_file(path: Path) -> None:
    """Delete a file durably; one that is not there is no error."""
    if path.exists():
        path.unlink(missing_ok=True)
        sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make the folder's names durable: a rename is on disk only when its folder is."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
