"""The files of a model, as they go into an image.

Owns walking the model's folder. Must not read file contents. Modes and times are not taken over: artifact stores lose them.
"""

from __future__ import annotations

import os
from pathlib import Path

from dockyard_image.errors import RecipeError
from dockyard_image.tar_stream import FileEntry, entry_of_file


def list_model_files(folder: Path, target: str) -> list[FileEntry]:
    """Every file of a model below `target`; links are followed as long as they stay inside the folder.

    Raises RecipeError, code `model-unreadable`.
    """
    root = folder.resolve()
    if not root.is_dir():
        raise _unreadable(f"{folder.name} is not a folder")
    entries = []
    for parent, folders, files in os.walk(root, onerror=_raise):
        linked = [name for name in folders if Path(parent, name).is_symlink()]
        if linked:
            raise _unreadable(f"{linked[0]} is a link to a folder")
        for name in files:
            file = Path(parent, name)
            if not file.resolve().is_relative_to(root) or not file.is_file():
                raise _unreadable(f"{file.relative_to(root)} is not a file of the model")
            entries.append(entry_of_file(f"{target}/{file.relative_to(root).as_posix()}", file))
    return entries


def _raise(error: OSError) -> None:
    raise _unreadable(f"a folder of it cannot be listed: {error.strerror}") from error


def _unreadable(reason: str) -> RecipeError:
    return RecipeError("model-unreadable", f"the model cannot be read: {reason}", "Log or download the model again.")
