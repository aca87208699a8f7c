"""What is in a wheel, and where it goes: the files that an installer would put into site-packages, without an installer.

Owns the mapping of the wheel format (PEP 427) to paths. Must not write files. Scripts and headers are left out: nothing in a
serving image calls them.
"""

from __future__ import annotations

import stat
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from dockyard_image.errors import WheelError
from dockyard_image.tar_stream import FileEntry

_SPREAD = frozenset({"purelib", "platlib", "data"})  # `data` goes beside the packages, as in `pip install --target`


@contextmanager
def open_wheels(wheels: Iterable[Path], folder: str) -> Iterator[list[FileEntry]]:
    """The files of all wheels under `folder`, readable while the block lasts.

    Where several wheels ship the same path (mlflow and mlflow-skinny do), the first wheel in the given order wins: an image
    layer must not name a path twice. Raises WheelError, code `wheel-invalid`.
    """
    with ExitStack() as stack:
        found: dict[str, FileEntry] = {}
        for wheel in wheels:
            archive = stack.enter_context(_open_wheel(wheel))
            for entry in _list_entries(archive, wheel.name, folder):
                found.setdefault(entry.path, entry)
        yield list(found.values())


def _open_wheel(wheel: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(wheel)
    except (zipfile.BadZipFile, OSError) as error:
        raise _invalid(wheel.name, "it is not a readable zip file") from error


def _list_entries(archive: zipfile.ZipFile, wheel: str, folder: str) -> Iterator[FileEntry]:
    for info in archive.infolist():
        if info.is_dir():
            continue
        mode = info.external_attr >> 16
        if mode and not stat.S_ISREG(mode) and stat.S_IFMT(mode):
            raise _invalid(wheel, f"{info.filename} is not a regular file")
        place = _place(info.filename, wheel)
        if place:
            yield FileEntry(
                path=f"{folder}/{place}",
                size=info.file_size,
                open=partial(archive.open, info),
                executable=bool(mode & 0o111),
            )


def _place(name: str, wheel: str) -> str:
    """Where a member goes below site-packages; empty when it is left out."""
    parts = name.split("/")
    if any(part in {"", ".", ".."} for part in parts) or "\\" in name:
        raise _invalid(wheel, f"{name!r} leads out of it")
    if len(parts) > 2 and parts[0].endswith(".data"):
        return "/".join(parts[2:]) if parts[1] in _SPREAD else ""
    return name


def _invalid(wheel: str, reason: str) -> WheelError:
    return WheelError("wheel-invalid", f"{wheel} cannot be used: {reason}", "Require another version of the package.")
