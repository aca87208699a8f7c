"""What of this package goes into an image: its files, their digest, and the distributions they need.

Owns the list of files below `/opt/dockyard/scorer`. Must stay within the standard library and read nothing but this
package's own folder, so that the same sources give the same layer on any machine.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

_PACKAGE = Path(__file__).parent
_BOOTSTRAP = "bootstrap.py"

# Beside the model's own requirements. MLflow (at least `mlflow-skinny`), pandas and numpy come with the model.
REQUIREMENTS: tuple[str, ...] = tuple((_PACKAGE / "requirements.txt").read_text(encoding="utf-8").split())


def layer_files() -> Mapping[str, bytes]:
    """The scorer's files: path below `/opt/dockyard/scorer` -> content, in the order of their paths."""
    files = {
        f"{_PACKAGE.name}/{source.relative_to(_PACKAGE).as_posix()}": source.read_bytes()
        for source in _PACKAGE.rglob("*")
        if source.suffix in {".py", ".txt"} and "__pycache__" not in source.parts
    }
    files["__main__.py"] = (_PACKAGE / _BOOTSTRAP).read_bytes()
    return MappingProxyType(dict(sorted(files.items())))


def scorer_digest() -> str:
    """`sha256:…` over paths and contents of `layer_files()`: the scorer's part of an image's fingerprint."""
    digest = hashlib.sha256()
    for path, content in layer_files().items():
        digest.update(f"{path}\0{len(content)}\0".encode())
        digest.update(content)
    return f"sha256:{digest.hexdigest()}"
